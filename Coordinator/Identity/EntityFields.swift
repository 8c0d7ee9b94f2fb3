// SPDX-License-Identifier: Apache-2.0
// What the bodies of users and groups have in common: names, ids, and fields that may be left out, be null or be given.

import Core
import HTTP

/// A field of an update: left alone, cleared, or set.
enum Given<Value: Sendable>: Sendable {
    case absent
    case null
    case value(Value)

    var value: Value? { if case .value(let value) = self { value } else { nil } }

    /// What holds after the update.
    func applied(to old: Value?) -> Value? {
        switch self {
        case .absent: old
        case .null: nil
        case .value(let value): value
        }
    }
}

extension RequestFields {
    func given<Value: Sendable>(_ name: String, _ read: (String) throws -> Value?) throws -> Given<Value> {
        guard has(name) else { return .absent }
        guard let value = try read(name) else { return .null }
        return .value(value)
    }

    /// A name of 1 to 255 characters, at least one of them not a space; spaces around it are dropped.
    func entityName() throws -> String {
        let text = try string("name", 1...255)
        let name = text.trimmed
        guard !name.isEmpty else { throw invalid("name", "it must have a character that is not a space") }
        return name
    }

    /// An id as clients may write one: letters, digits, hyphens.
    func optionalEntityID<Kind>(_ name: String, _ kind: Kind.Type = Kind.self) throws -> ID<Kind>? {
        guard let text = try optionalString(name, 1...64) else { return nil }
        let isPlain = text.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
            default: false
            }
        }
        guard isPlain else { throw invalid(name, "it must consist of letters, digits and hyphens") }
        return ID(text)
    }

    /// An update must change something, and neither the id nor the domain.
    func requireUpdate(of id: String, in domain: ID<Domain>) throws {
        guard !object.isEmpty else {
            throw CloudError.badRequest(
                "Invalid input for field '\(path)': it must have at least one property to change.")
        }
        if let other = object["id"], other.string != id { throw invalid("id", "Cannot change ID") }
        if let other = object["domain_id"], other.string != domain.text {
            throw invalid("domain_id", "Cannot change Domain ID")
        }
    }
}

extension String {
    var trimmed: String {
        guard let first = unicodeScalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = unicodeScalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(unicodeScalars[first...last])
    }
}

/// A create request before it is read field by field: the policy looks at the domain alone, so that who may not create
/// learns nothing from how the rest of the body is judged.
struct CreationTarget: PolicyTarget {
    let fields: RequestFields
    private let attribute: String

    /// `kind`: "user", for the attribute "target.user.domain_id".
    init(_ call: Call, _ kind: String) async throws {
        fields = try await call.fields(kind)
        attribute = "target.\(kind).domain_id"
    }

    func policyAttribute(_ name: String) -> String? { name == attribute ? fields.object["domain_id"]?.string : nil }

    /// The domain that was named, or the caller's, or the default one.
    func domain(for call: Call) throws -> ID<Domain> {
        try fields.optionalEntityID("domain_id") ?? call.caller?.domainID ?? ID("default")
    }
}
