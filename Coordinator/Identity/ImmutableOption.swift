// SPDX-License-Identifier: Apache-2.0
// The option "immutable" of projects, domains and roles: while it is true the thing can be neither changed nor deleted,
// and the only update taken is one that sets the option itself.

import Core
import HTTP
import JSON

enum ImmutableOption {
    static let name = "immutable"

    /// Reads a body's "options": the one option there is, true, false or null (which takes it away).
    static func read(_ fields: RequestFields) throws -> JSON.Object? {
        guard fields.has("options") else { return nil }
        guard !fields.isNull("options") else { throw fields.invalid("options", "it must be an object, not null") }
        let options = try fields.fields("options")
        try options.refuseUnknown([name])
        _ = try options.optionalBool(name)
        return options.object
    }

    /// Stored options after an update; null takes an option away.
    static func merged(_ stored: JSON.Object, with change: JSON.Object) -> JSON.Object {
        var merged = stored
        for (name, value) in change.members { merged[name] = value.isNull ? JSON?.none : value }
        return merged
    }

    static func checkUpdate(isImmutable: Bool, body: RequestFields, _ kind: String, _ id: String) throws {
        if body.object.count == 1, body.object["options"]?.object?[name] != nil { return }
        try checkUpdate(isImmutable: isImmutable, kind, id)
    }

    /// For an update that surely is not about the option.
    static func checkUpdate(isImmutable: Bool, _ kind: String, _ id: String) throws {
        guard isImmutable else { return }
        throw CloudError.forbidden(
            "Unable to update immutable \(kind) resource: \(id). Set resource option \"immutable\" to false first.")
    }

    static func checkDelete(isImmutable: Bool, _ kind: String, _ id: String) throws {
        guard isImmutable else { return }
        throw CloudError.forbidden(
            "Unable to delete immutable \(kind) resource: \(id). Set resource option \"immutable\" to false first.")
    }
}
