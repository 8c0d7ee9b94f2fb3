// SPDX-License-Identifier: Apache-2.0
// What a token carries, inside its Fernet envelope: who, where, how, when, and its audit ids. Never roles or names:
// those are looked up (and cached), so a change of them reaches every live token at once. About 90 bytes, so that a
// whole token stays under the 255 bytes that clients and databases allow for.

import Core
import Crypto

/// How a user proved who they are; the bits are part of the token's form and never change their meaning.
package struct SignInMethods: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let password = SignInMethods(rawValue: 1)
    package static let token = SignInMethods(rawValue: 2)
    package static let totp = SignInMethods(rawValue: 4)
    package static let applicationCredential = SignInMethods(rawValue: 8)
    /// Made from an EC2 or S3 signature: marks a token as delegated.
    package static let ec2credential = SignInMethods(rawValue: 16)

    private static let named: [(SignInMethods, String)] = [
        (.password, "password"), (.token, "token"), (.totp, "totp"), (.applicationCredential, "application_credential"),
        (.ec2credential, "ec2credential"),
    ]
    package static let known = named.map(\.1).filter { $0 != "ec2credential" }

    package init?(name: String) {
        guard let found = Self.named.first(where: { $0.1 == name }), name != "ec2credential" else { return nil }
        self = found.0
    }
    package var names: [String] { Self.named.filter { contains($0.0) }.map(\.1) }
}

struct TokenPayload: Sendable, Equatable {
    enum Scope: Sendable, Hashable {
        case none
        case project(ID<Project>)
        case domain(ID<Domain>)
        case system
    }
    var user: ID<User>
    var methods: SignInMethods
    var scope: Scope
    var issued: Instant
    var expires: Instant
    /// 16 random bytes.
    var audit: [UInt8]
    /// The audit id of the first token of this session, when this one was made from another token.
    var chain: [UInt8]?
    var trust: ID<Trust>?
    var applicationCredential: ID<ApplicationCredential>?

    var auditID: String { Base64.encodeURL(audit) }
    var auditChainID: String { Base64.encodeURL(chain ?? audit) }

    private static let version: UInt8 = 1

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.byte(Self.version)
        writer.byte(methods.rawValue)
        writer.int(issued.microseconds)
        writer.int(expires.microseconds)
        writer.raw(audit)
        var flags: UInt8 = 0
        if chain != nil { flags |= 1 }
        if trust != nil { flags |= 2 }
        if applicationCredential != nil { flags |= 4 }
        switch scope {
        case .none: break
        case .project: flags |= 1 << 4
        case .domain: flags |= 2 << 4
        case .system: flags |= 3 << 4
        }
        writer.byte(flags)
        if let chain { writer.raw(chain) }
        writer.id(user.text)
        switch scope {
        case .project(let id): writer.id(id.text)
        case .domain(let id): writer.id(id.text)
        case .none, .system: break
        }
        if let trust { writer.id(trust.text) }
        if let applicationCredential { writer.id(applicationCredential.text) }
        return writer.bytes
    }

    init(
        user: ID<User>, methods: SignInMethods, scope: Scope, issued: Instant, expires: Instant, audit: [UInt8],
        chain: [UInt8]? = nil, trust: ID<Trust>? = nil, applicationCredential: ID<ApplicationCredential>? = nil
    ) {
        self.user = user
        self.methods = methods
        self.scope = scope
        self.issued = issued
        self.expires = expires
        self.audit = audit
        self.chain = chain
        self.trust = trust
        self.applicationCredential = applicationCredential
    }

    init?(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard reader.byte() == Self.version, let methods = reader.byte(), let issued = reader.int(),
            let expires = reader.int(), let audit = reader.raw(16), let flags = reader.byte()
        else { return nil }
        self.methods = SignInMethods(rawValue: methods)
        self.issued = Instant(microseconds: issued)
        self.expires = Instant(microseconds: expires)
        self.audit = audit
        if flags & 1 != 0 {
            guard let chain = reader.raw(16) else { return nil }
            self.chain = chain
        }
        guard let user = reader.id() else { return nil }
        self.user = ID(user)
        switch flags >> 4 {
        case 0: scope = .none
        case 1:
            guard let id = reader.id() else { return nil }
            scope = .project(ID(id))
        case 2:
            guard let id = reader.id() else { return nil }
            scope = .domain(ID(id))
        case 3: scope = .system
        default: return nil
        }
        if flags & 2 != 0 {
            guard let id = reader.id() else { return nil }
            trust = ID(id)
        }
        if flags & 4 != 0 {
            guard let id = reader.id() else { return nil }
            applicationCredential = ID(id)
        }
        guard reader.isAtEnd else { return nil }
    }
}

/// Ids of 32 hexadecimal digits take 17 bytes, others their text and two.
private struct ByteWriter {
    private(set) var bytes: [UInt8] = []
    init() { bytes.reserveCapacity(96) }
    mutating func byte(_ value: UInt8) { bytes.append(value) }
    mutating func raw(_ value: [UInt8]) { bytes.append(contentsOf: value) }
    mutating func int(_ value: Int64) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
    mutating func id(_ text: String) {
        if text.utf8.count == 32, let short = Hex.bytes(text), Hex.text(short) == text {
            byte(0)
            raw(short)
        } else {
            let utf8 = Array(text.utf8.prefix(255))
            byte(1)
            byte(UInt8(utf8.count))
            raw(utf8)
        }
    }
}

private struct ByteReader {
    private let bytes: [UInt8]
    private var at = 0
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var isAtEnd: Bool { at == bytes.count }
    mutating func byte() -> UInt8? {
        guard at < bytes.count else { return nil }
        at += 1
        return bytes[at - 1]
    }
    mutating func raw(_ count: Int) -> [UInt8]? {
        guard at + count <= bytes.count else { return nil }
        at += count
        return Array(bytes[at - count..<at])
    }
    mutating func int() -> Int64? { raw(8).map { $0.reduce(Int64(0)) { $0 << 8 | Int64($1) } } }
    mutating func id() -> String? {
        switch byte() {
        case 0: return raw(16).map { Hex.text($0) }
        case 1:
            guard let count = byte(), let utf8 = raw(Int(count)) else { return nil }
            return String(validating: utf8, as: UTF8.self)
        default: return nil
        }
    }
}
