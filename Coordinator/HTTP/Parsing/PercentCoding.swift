// SPDX-License-Identifier: Apache-2.0
// Percent-encoding of paths and queries. What does not decode to UTF-8 is refused, and so is a NUL: nothing of ours
// takes it.

import Core

package enum PercentCoding {
    /// Decodes one path segment, or with `plusIsSpace` one part of a query. nil when it is not valid.
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>, plusIsSpace: Bool = false) -> String? {
        let isPlain = bytes.allSatisfy { $0 != 0x25 && $0 < 0x80 && !(plusIsSpace && $0 == 0x2b) }
        if isPlain { return String(decoding: bytes, as: UTF8.self) }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case 0x25:
                guard at + 2 < bytes.count, let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2]) else {
                    return nil
                }
                let byte = high << 4 | low
                guard byte != 0 else { return nil }
                out.append(byte)
                at += 3
            case 0x2b where plusIsSpace:
                out.append(0x20)
                at += 1
            default:
                out.append(bytes[at])
                at += 1
            }
        }
        return String(validating: out, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46, 0x61...0x66: (byte | 0x20) - 0x57
        default: nil
        }
    }
}

extension QueryParameters {
    /// More parameters than any client sends; each costs a look-up.
    private static let most = 200

    /// "a=1&b=two+words&flag"
    package init(parsing bytes: UnsafeBufferPointer<UInt8>) throws {
        var items: [(name: String, value: String)] = []
        var start = 0
        while start < bytes.count {
            var end = start
            var equals = -1
            while end < bytes.count, bytes[end] != UInt8(ascii: "&") {
                if equals < 0, bytes[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            if end > start {
                guard items.count < Self.most else {
                    throw CloudError.badRequest("The query has too many parameters; at most \(Self.most) are allowed.")
                }
                let nameEnd = equals < 0 ? end : equals
                let valueStart = equals < 0 ? end : equals + 1
                guard
                    let name = PercentCoding.decode(.init(rebasing: bytes[start..<nameEnd]), plusIsSpace: true),
                    let value = PercentCoding.decode(.init(rebasing: bytes[valueStart..<end]), plusIsSpace: true)
                else { throw CloudError.badRequest("The query is not valid percent-encoded UTF-8 text.") }
                items.append((name, value))
            }
            start = end + 1
        }
        self.init(items)
    }
}
