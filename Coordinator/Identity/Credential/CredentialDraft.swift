// SPDX-License-Identifier: Apache-2.0
// What a request asks of a credential.

import Core
import HTTP
import JSON

struct NewCredential: Sendable, PolicyTarget {
    static let known: Set<String> = ["id", "user_id", "project_id", "type", "blob", "links"]

    let user: ID<User>
    let project: ID<Project>?
    let type: String
    let blob: String
    let extra: JSON.Object

    init(_ fields: RequestFields) throws {
        user = ID(try fields.string("user_id", 1...255))
        project = try fields.optionalString("project_id", 1...255).map { ID($0) }
        type = try fields.string("type", 1...255)
        blob = try fields.string("blob")
        extra = fields.extras(except: Self.known)
        guard isEC2 else { return }
        if project == nil {
            throw fields.invalid("project_id", "'project_id' is a required property of an ec2 credential")
        }
        _ = try EC2Blob(fields, blob)
    }

    var isEC2: Bool { type.lowercased() == EC2Key.type }

    func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.credential.user_id": user.text
        case "target.credential.project_id": project?.text
        case "target.credential.type": type
        default: nil
        }
    }
}

/// Only the blob of a credential can be changed, and what the service does not know. Whose it is, for which project
/// and of what type are fixed: another owner or scope would make it a different secret under the same id.
struct ChangedCredential: Sendable {
    private let fields: RequestFields
    let id: String?
    let user: String?
    let project: String?
    let type: String?
    let blob: String?
    let extra: JSON.Object

    init(_ fields: RequestFields) throws {
        self.fields = fields
        id = try fields.optionalString("id", 0...255)
        user = try fields.optionalString("user_id", 1...255)
        project = try fields.optionalString("project_id", 1...255)
        type = try fields.optionalString("type", 1...255)
        blob = try fields.optionalString("blob")
        extra = fields.extras(except: NewCredential.known)
    }

    func applied(to credential: CredentialRecord) throws -> CredentialRecord {
        if let id, id != credential.id.text { throw CloudError.badRequest("Cannot change credential ID") }
        let fixed = [
            ("user_id", user, credential.user.text), ("type", type, credential.type),
            ("project_id", project, credential.project?.text ?? ""),
        ]
        for (name, wanted, present) in fixed where wanted != nil && wanted != present {
            throw fields.invalid(name, "it cannot be changed; delete the credential and create a new one")
        }
        var changed = credential
        for (name, value) in extra.members { changed.extra[name] = value }
        guard let blob else { return changed }
        if credential.isEC2 { try EC2Blob(fields, blob).requireSameBindings(as: credential.blob) }
        changed.blob = blob
        return changed
    }
}

/// An EC2 credential's blob as a client sent it.
struct EC2Blob: Sendable {
    private let fields: RequestFields
    let object: JSON.Object

    init(_ fields: RequestFields, _ blob: String) throws {
        self.fields = fields
        guard let object = (try? JSON.parse(blob))?.object, !object.isEmpty else {
            throw fields.invalid(
                "blob", "the blob of an ec2 credential must be a JSON object with 'access' and 'secret'")
        }
        guard let access = object["access"]?.string, !access.isEmpty else {
            throw fields.invalid("blob", "its 'access' must be a string with the access key")
        }
        self.object = object
    }

    var access: String { object["access"]?.string ?? "" }

    func requireSameBindings(as old: String) throws {
        let old = (try? JSON.parse(old))?.object ?? [:]
        for name in EC2Key.bindings where (old[name] ?? .null) != (object[name] ?? .null) {
            throw fields.invalid("blob", "\(name) can not be updated for credential")
        }
    }
}
