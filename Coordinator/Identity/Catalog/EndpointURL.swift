// SPDX-License-Identifier: Apache-2.0
// An endpoint's URL, read once: text with places that are filled for each caller. Both "$(project_id)s" and
// "%(project_id)s" name a place; "%%" is a percent sign; anything else with a '%' or an unclosed "$(" is malformed.

struct EndpointURL: Sendable, Equatable {
    enum Piece: Sendable, Equatable {
        case text(String)
        case project
        case user
    }
    let pieces: [Piece]

    var needsProject: Bool { pieces.contains(.project) }

    /// nil when it is malformed.
    init?(_ url: String) {
        var pieces: [Piece] = []
        var text = ""
        var rest = url[...]
        while let sign = rest.popFirst() {
            if sign == "%", rest.first == "%" {
                rest.removeFirst()
                text.append("%")
                continue
            }
            guard (sign == "$" || sign == "%") && rest.first == "(" else {
                if sign == "%" { return nil }
                text.append(sign)
                continue
            }
            guard let end = rest.firstIndex(of: ")"),
                let place = Self.place(rest[rest.index(after: rest.startIndex)..<end])
            else { return nil }
            rest = rest[rest.index(after: end)...]
            guard rest.popFirst() == "s" else { return nil }
            if !text.isEmpty { pieces.append(.text(text)) }
            text = ""
            pieces.append(place)
        }
        if !text.isEmpty { pieces.append(.text(text)) }
        self.pieces = pieces
    }

    private static func place(_ name: Substring) -> Piece? {
        switch name {
        case "project_id", "tenant_id": .project
        case "user_id": .user
        default: nil
        }
    }

    /// "http:" and something after it.
    static func hasScheme(_ url: String) -> Bool {
        guard let colon = url.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let scheme = url.utf8[..<colon]
        let isName = scheme.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "-"): true
            default: false
            }
        }
        let isPrintable = url.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") }
        return !scheme.isEmpty && isName && isPrintable && url.utf8.index(after: colon) != url.utf8.endIndex
    }
}
