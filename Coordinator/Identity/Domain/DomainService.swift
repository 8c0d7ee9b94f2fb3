// SPDX-License-Identifier: Apache-2.0
// The rules of domains. A domain is stored as a project that acts as one; deleting it takes everything in it along, so
// it must be disabled first.

import Core
import Database
import HTTP
import JSON

struct DomainService: Sendable {
    let environment: IdentityEnvironment

    func shown(_ id: ID<Domain>) async throws -> ProjectRecord {
        try await environment.database.read("domain.show") { connection in
            guard let domain = try ProjectStore.find(ID(id.text), connection), domain.isDomain else {
                throw CloudError.notFound("domain", id.text)
            }
            return domain
        }
    }

    func list(_ filter: ProjectFilter, visible: ID<Domain>?, _ page: PageRequest) async throws -> [ProjectRecord] {
        try await environment.database.read("domain.list") { connection in
            try ProjectStore.list(filter, onlyDomain: visible, page, connection)
        }
    }

    func update(_ domain: ProjectRecord, _ fields: ProjectFields, by call: Call) async throws -> ProjectRecord {
        let id = domain.id
        return try await environment.change("domain.update", by: call) { connection, changes in
            guard let stored = try ProjectStore.find(id, connection), stored.isDomain else {
                throw CloudError.notFound("domain", id.text)
            }
            try ImmutableOption.checkUpdate(isImmutable: stored.isImmutable, body: fields.body, "domain", id.text)
            return try ProjectService.apply(fields, to: stored, connection, &changes)
        }
    }

    func delete(_ domain: ProjectRecord, by call: Call) async throws {
        let (project, id) = (domain.id, domain.owner)
        try await environment.change("domain.delete", by: call) { connection, changes in
            guard let stored = try ProjectStore.findDomain(id, connection) else {
                throw CloudError.notFound("domain", id.text)
            }
            try ImmutableOption.checkDelete(isImmutable: stored.isImmutable, "domain", id.text)
            guard !stored.isEnabled else {
                throw CloudError.forbidden("Cannot delete a domain that is enabled, please disable it first.")
            }
            if let kept = try ProjectStore.immutableProject(in: id, connection) {
                try ImmutableOption.checkDelete(isImmutable: true, "project", kept.id.text)
            }
            try Removal.domain(id, connection)
            try ProjectStore.delete(project, connection)
            changes.revoke(.domain(id))
            // Roles of the domain and memberships across domains go too; no cached token may still rest on them.
            changes.record(.deleted, "domain", id.text, domain: id, touching: stored.cacheKeys + [.everything])
        }
    }
}
