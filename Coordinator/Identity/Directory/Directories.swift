// SPDX-License-Identifier: Apache-2.0
// Which domains keep their users in a directory, and the connections to those directories. A domain's configuration is
// read when it is first needed and again when the domain was touched; an unchanged one keeps its connections.

import Core
import LDAP
import Synchronization

final class Directories: Sendable {
    private struct Entry: Sendable {
        let snapshot: Stamps.Snapshot
        let directory: DomainDirectory?
    }
    private let entries = Mutex<[ID<Domain>: Entry]>([:])
    /// Ways back from public ids. They never change, so they may be kept as long as there is room.
    private let entities = Mutex<[String: DirectoryEntity]>([:])

    /// nil for a domain whose users are in our own tables.
    func directory(of domain: ID<Domain>, _ environment: IdentityEnvironment) async throws -> DomainDirectory? {
        let known = entries.withLock { $0[domain] }
        if let known, environment.stamps.isCurrent(known.snapshot) { return known.directory }
        let snapshot = environment.stamps.snapshot([.domain(domain)])
        let configuration = try await DomainConfigService(environment: environment).configuration(of: domain)
        let directory = try make(domain, configuration, known?.directory, environment)
        entries.withLock { entries in
            // Most entries say "none": forgetting them costs one small read each.
            if entries.count >= Limits.directoryCacheEntries { entries = entries.filter { $0.value.directory != nil } }
            entries[domain] = Entry(snapshot: snapshot, directory: directory)
        }
        return directory
    }

    private func make(
        _ domain: ID<Domain>, _ configuration: DomainConfiguration, _ old: DomainDirectory?,
        _ environment: IdentityEnvironment
    ) throws -> DomainDirectory? {
        guard configuration.driver == .ldap else { return nil }
        do throws(LDAPError) {
            let settings = try DirectorySettings(configuration.directory)
            if let old, old.settings == settings { return old }
            return try DomainDirectory(domain: domain, settings: settings, clock: environment.clock)
        } catch {
            throw DomainDirectory.failure(error, domain)
        }
    }

    func entity(_ publicID: String) -> DirectoryEntity? { entities.withLock { $0[publicID] } }

    func keep(_ entity: DirectoryEntity) {
        entities.withLock { entities in
            if entities.count >= Limits.directoryEntries { entities.removeAll() }
            entities[entity.publicID] = entity
        }
    }
}
