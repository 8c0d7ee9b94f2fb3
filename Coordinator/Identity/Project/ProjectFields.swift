// SPDX-License-Identifier: Apache-2.0
// What a body may say of a project or a domain, read and checked; the two share all but their place in the tree.

import Core
import HTTP
import JSON

struct ProjectFields: Sendable {
    static let known: Set<String> = [
        "id", "name", "description", "enabled", "tags", "options", "links", "domain_id", "parent_id", "is_domain",
        "explicit_domain_id", "parents", "subtree",
    ]
    /// The body as it came: what an immutable thing may still be told.
    let body: RequestFields
    let name: String?
    let description: String?
    let isEnabled: Bool?
    let tags: [String]?
    let options: JSON.Object?
    let extra: JSON.Object

    init(_ fields: RequestFields) throws {
        body = fields
        for name in ["name", "enabled", "tags", "is_domain"] where fields.isNull(name) {
            throw fields.invalid(name, "it must not be null")
        }
        name = try fields.optionalString("name", 1...64).map { try Self.clean($0, "name", fields) }
        description = fields.isNull("description") ? "" : try fields.optionalString("description")
        isEnabled = try fields.optionalBool("enabled")
        tags = try ProjectTag.list(fields)
        options = try ImmutableOption.read(fields)
        extra = fields.extras(except: Self.known)
    }

    /// A name without the white space around it; what is left must not be empty.
    private static func clean(_ text: String, _ field: String, _ fields: RequestFields) throws -> String {
        let name = text.trimmed
        guard !name.isEmpty else { throw fields.invalid(field, "it must have a character that is not white space") }
        return name
    }

    /// Takes over what the body says.
    func apply(to project: inout ProjectRecord) {
        if let name { project.name = name }
        if let description { project.description = description }
        if let isEnabled { project.isEnabled = isEnabled }
        if let tags { project.tags = tags }
        if let options { project.options = ImmutableOption.merged(project.options, with: options) }
        for (name, value) in extra.members { project.extra[name] = value }
    }
}

enum ProjectTag {
    static let most = 80
    static let longest = 255

    /// A body's "tags": different from each other, each fit to stand in a path and in a comma-separated filter.
    static func list(_ fields: RequestFields) throws -> [String]? {
        guard let elements = try fields.optionalArray("tags") else { return nil }
        guard elements.count <= most else {
            throw fields.invalid("tags", "it has \(elements.count) elements, at most \(most) are allowed")
        }
        let tags = try elements.enumerated().map { i, element in
            guard let tag = element.string else {
                throw fields.invalid("tags[\(i)]", "it must be a string, not \(element.kindName)")
            }
            guard let reason = refusal(tag) else { return tag }
            throw fields.invalid("tags[\(i)]", reason)
        }
        guard Set(tags).count == tags.count else {
            throw fields.invalid("tags", "its elements must differ from each other")
        }
        return Set(tags.map(\.trimmed)).sorted()
    }

    /// Why a text cannot be a tag; nil when it can.
    static func refusal(_ tag: String) -> String? {
        let count = tag.unicodeScalars.count
        if count > longest { return "it has \(count) characters, at most \(longest) are allowed" }
        if tag.trimmed.isEmpty { return "it must not be empty" }
        if tag.unicodeScalars.contains(where: { $0 == "," || $0 == "/" }) { return "it must not contain ',' or '/'" }
        if tag.unicodeScalars.contains("\0") { return "it must not contain a NUL character" }
        return nil
    }
}
