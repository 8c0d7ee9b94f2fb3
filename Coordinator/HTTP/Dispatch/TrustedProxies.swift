// SPDX-License-Identifier: Apache-2.0
// Who the client is when proxies stand in between. Only what a configured proxy says is believed, and of a list only
// the part that our own proxies added: the last address that is not one of them is the client.

import Core
import Glibc

/// An IPv4 or IPv6 address; IPv4 in its mapped form, so that both compare.
package struct IPAddress: Sendable, Equatable {
    let bytes: [UInt8]

    package init?(_ text: String) {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] + withUnsafeBytes(of: v4) { Array($0) }
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        bytes = withUnsafeBytes(of: v6) { Array($0) }
    }
}

package struct TrustedProxies: Sendable {
    private let networks: [(address: IPAddress, bits: Int)]

    /// "192.0.2.10" or "10.0.0.0/8"; throws for anything else.
    package init(_ texts: [String] = []) throws {
        networks = try texts.map { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 2, let address = IPAddress(parts[0]) else { throw Self.invalid(text) }
            let isV4 = !parts[0].contains(":")
            guard parts.count == 2 else { return (address, 128) }
            guard let bits = Int(parts[1]), (0...(isV4 ? 32 : 128)).contains(bits) else { throw Self.invalid(text) }
            return (address, isV4 ? bits + 96 : bits)
        }
    }

    private static func invalid(_ text: String) -> CloudError {
        .badRequest("'\(text)' is no address of a trusted proxy; write 192.0.2.10 or 10.0.0.0/8.")
    }

    package var isEmpty: Bool { networks.isEmpty }

    package func contains(_ text: String) -> Bool {
        guard let address = IPAddress(text) else { return false }
        return networks.contains { network in
            let whole = network.bits / 8, rest = network.bits % 8
            guard address.bytes[..<whole] == network.address.bytes[..<whole] else { return false }
            return rest == 0 || (address.bytes[whole] ^ network.address.bytes[whole]) >> UInt8(8 - rest) == 0
        }
    }

    /// The client's address and whether it spoke TLS, as far as our own proxies vouch for it.
    package func client(_ head: RequestHead, peer: String, isSecure: Bool) -> (peer: String, isSecure: Bool) {
        guard contains(peer) else { return (peer, isSecure) }
        var hops = head.values("forwarded").flatMap(Self.hops)
        if hops.isEmpty {
            hops = head.values("x-forwarded-for").flatMap { $0.split(separator: ",") }.map {
                (Self.address(String($0)), nil)
            }
        }
        var client: (address: String, proto: String?) = (peer, nil)
        for hop in hops.reversed() {
            guard IPAddress(hop.address) != nil else { break }
            client = hop
            if !contains(hop.address) { break }
        }
        let proto =
            client.proto ?? head.values("x-forwarded-proto").last?.split(separator: ",").last.map { Self.trimmed($0) }
        return (client.address, proto.map { $0.lowercased() == "https" } ?? isSecure)
    }

    /// "for=192.0.2.60;proto=http;by=203.0.113.43, for=..." (RFC 7239)
    private static func hops(_ value: String) -> [(address: String, proto: String?)] {
        value.split(separator: ",").map { hop in
            var address = "", proto: String?
            for pair in hop.split(separator: ";") {
                let sides = pair.split(separator: "=", maxSplits: 1)
                guard sides.count == 2 else { continue }
                switch trimmed(sides[0]).lowercased() {
                case "for": address = Self.address(String(sides[1]))
                case "proto": proto = trimmed(sides[1])
                default: break
                }
            }
            return (address, proto)
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" || first == "\"" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" || last == "\"" { text.removeLast() }
        return String(text)
    }

    /// Without quotes, brackets and a port: "[2001:db8::1]:443" -> "2001:db8::1", "192.0.2.1:8080" -> "192.0.2.1".
    private static func address(_ text: String) -> String {
        let text = trimmed(text[...])
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") { return String(text[..<colon]) }
        return text
    }
}
