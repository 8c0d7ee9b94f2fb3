// SPDX-License-Identifier: Apache-2.0
// Reading a JSON body, field by field: every refusal is a 400 whose sentence names the field and says what it must be.
//
//     let fields = try await call.fields("user")            // {"user": {…}}
//     let name = try fields.string("name", 1...255)
//     let isEnabled = try fields.optionalBool("enabled") ?? true

import Core
import JSON

package struct RequestFields: Sendable {
    package let object: JSON.Object
    /// How faults name this object: "user", "auth.identity".
    package let path: String

    package init(_ object: JSON.Object, path: String) {
        self.object = object
        self.path = path
    }

    package func has(_ name: String) -> Bool { object[name] != nil }
    /// Present and not null.
    package func isSet(_ name: String) -> Bool { object[name].map { !$0.isNull } ?? false }
    package func isNull(_ name: String) -> Bool { object[name]?.isNull ?? false }

    package func invalid(_ name: String, _ must: String) -> CloudError {
        .badRequest("Invalid input for field '\(label(name))': \(must).")
    }

    private func label(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private func missing(_ name: String) -> CloudError {
        .badRequest("Invalid input for field '\(label(name))': '\(name)' is a required property.")
    }

    private func value(_ name: String) -> JSON? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    // MARK: Required

    package func string(_ name: String, _ length: ClosedRange<Int> = 0...Int.max) throws -> String {
        guard let text = try optionalString(name, length) else { throw missing(name) }
        return text
    }

    package func int(_ name: String, _ range: ClosedRange<Int> = Int.min...Int.max) throws -> Int {
        guard let value = try optionalInt(name, range) else { throw missing(name) }
        return value
    }

    package func bool(_ name: String) throws -> Bool {
        guard let value = try optionalBool(name) else { throw missing(name) }
        return value
    }

    package func fields(_ name: String) throws -> RequestFields {
        guard let fields = try optionalFields(name) else { throw missing(name) }
        return fields
    }

    package func array(_ name: String) throws -> [JSON] {
        guard let elements = try optionalArray(name) else { throw missing(name) }
        return elements
    }

    // MARK: Optional (nil when absent or null)

    package func optionalString(_ name: String, _ length: ClosedRange<Int> = 0...Int.max) throws -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else { throw invalid(name, "it must be a string, not \(value.kindName)") }
        let count = text.unicodeScalars.count
        guard count >= length.lowerBound else {
            throw invalid(
                name, count == 0 ? "it must not be empty" : "it must have at least \(length.lowerBound) characters")
        }
        guard count <= length.upperBound else {
            throw invalid(name, "it has \(count) characters, at most \(length.upperBound) are allowed")
        }
        // PostgreSQL's text cannot hold it, and nothing of ours needs it.
        guard !text.unicodeScalars.contains("\0") else { throw invalid(name, "it must not contain a NUL character") }
        return text
    }

    package func optionalInt(_ name: String, _ range: ClosedRange<Int> = Int.min...Int.max) throws -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = value.int else { throw invalid(name, "it must be an integer, not \(value.kindName)") }
        guard range.contains(number) else {
            throw invalid(name, "it must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    package func optionalBool(_ name: String) throws -> Bool? {
        guard let value = value(name) else { return nil }
        guard let flag = value.bool else { throw invalid(name, "it must be true or false, not \(value.kindName)") }
        return flag
    }

    package func optionalFields(_ name: String) throws -> RequestFields? {
        guard let value = value(name) else { return nil }
        guard let object = value.object else { throw invalid(name, "it must be an object, not \(value.kindName)") }
        return RequestFields(object, path: label(name))
    }

    package func optionalArray(_ name: String) throws -> [JSON]? {
        guard let value = value(name) else { return nil }
        guard let elements = value.array else { throw invalid(name, "it must be an array, not \(value.kindName)") }
        return elements
    }

    /// An array of objects, each readable like this one: "user.roles[2]".
    package func arrayOfFields(_ name: String) throws -> [RequestFields] {
        try (optionalArray(name) ?? []).enumerated().map { i, element in
            guard let object = element.object else {
                throw invalid("\(name)[\(i)]", "it must be an object, not \(element.kindName)")
            }
            return RequestFields(object, path: label("\(name)[\(i)]"))
        }
    }

    package func strings(_ name: String, _ length: ClosedRange<Int> = 0...Int.max) throws -> [String]? {
        guard let elements = try optionalArray(name) else { return nil }
        return try elements.enumerated().map { i, element in
            guard let text = element.string else {
                throw invalid("\(name)[\(i)]", "it must be a string, not \(element.kindName)")
            }
            guard length.contains(text.unicodeScalars.count) else {
                throw invalid("\(name)[\(i)]", "it must have \(length.lowerBound) to \(length.upperBound) characters")
            }
            return text
        }
    }

    package func optionalTime(_ name: String) throws -> Instant? {
        guard let text = try optionalString(name, 1...64) else { return nil }
        guard let time = Instant(text: text) else {
            throw invalid(name, "it must be a time such as 2030-01-31T12:00:00.000000Z")
        }
        return time
    }

    // MARK: The rest

    /// Members the service does not know; OpenStack keeps them and shows them again.
    package func extras(except known: Set<String>) -> JSON.Object {
        JSON.Object(object.members.filter { !known.contains($0.name) })
    }

    package func refuseUnknown(_ known: Set<String>) throws {
        for name in object.names where !known.contains(name) {
            let nearest = Words.nearest(to: name, in: known.sorted())
            throw invalid(name, "this property is not known" + (nearest.map { "; did you mean '\($0)'" } ?? ""))
        }
    }
}

extension Call {
    /// The whole body as JSON, within Limits.jsonBodyBytes.
    package func json() async throws -> JSON {
        var bytes: [UInt8] = []
        if let length = request.body.length {
            guard length <= Limits.jsonBodyBytes else { throw Self.bodyTooLarge }
            bytes.reserveCapacity(length)
        }
        while let piece = try await request.body.next() {
            guard bytes.count + piece.count <= Limits.jsonBodyBytes else { throw Self.bodyTooLarge }
            bytes.append(contentsOf: piece)
        }
        guard !bytes.isEmpty else { throw CloudError.badRequest("The request needs a JSON body; it has none.") }
        do {
            return try JSON.parse(bytes)
        } catch {
            throw CloudError.badRequest("The request body is not valid JSON: \(error).")
        }
    }

    private static var bodyTooLarge: CloudError {
        CloudError(.tooLarge, "The request body is too large; at most \(Limits.jsonBodyBytes) bytes are allowed.")
    }

    /// The object under one name, as almost every OpenStack body has it: {"user": {…}}.
    package func fields(_ name: String) async throws -> RequestFields {
        let body = try await bodyFields()
        return try body.fields(name)
    }

    /// The body itself as an object.
    package func bodyFields() async throws -> RequestFields {
        let body = try await json()
        guard let object = body.object else {
            throw CloudError.badRequest("The request body must be a JSON object, not \(body.kindName).")
        }
        return RequestFields(object, path: "")
    }
}
