// SPDX-License-Identifier: Apache-2.0
// Rules of the domains' own options, and the typed configuration that the directory code asks for. A change touches the
// domain, so that nothing made of its former options is used again.

import Core
import Database
import HTTP
import JSON

package struct DomainConfigService: Sendable {
    private let environment: IdentityEnvironment

    package init(environment: IdentityEnvironment) { self.environment = environment }

    // MARK: For the directory code

    /// What a domain's users and groups come from; a domain without options has our own tables. One statement: who asks
    /// often keeps what it made of it while the domain is not touched.
    package func configuration(of domain: ID<Domain>) async throws -> DomainConfiguration {
        try typed(
            try await environment.database.read("domain_config.of") { try DomainConfigStore.options(of: domain, $0) })
    }

    private func typed(_ stored: [StoredOption]) throws -> DomainConfiguration {
        guard !stored.isEmpty else { return .standard }
        var values: [String: JSON] = [:]
        var secrets: [String: String] = [:]
        for option in stored {
            let value = try open(option)
            values["\(option.group).\(option.name)"] = value
            if option.isSensitive { secrets[option.name] = value.string }
        }
        for option in stored where !option.isSensitive {
            let name = "\(option.group).\(option.name)"
            if let text = values[name]?.string { values[name] = .string(Substitution.apply(text, secrets)) }
        }
        return DomainConfiguration(values)
    }

    // MARK: Values at rest

    private static func context(_ domain: ID<Domain>, _ group: String, _ name: String) -> String {
        "domain_config:\(domain):\(group).\(name)"
    }

    private func seal(_ value: JSON, _ domain: ID<Domain>, _ option: DomainConfigOption) throws -> StoredOption {
        let bytes =
            option.isSensitive
            ? environment.vault.seal(value.bytes, context: Self.context(domain, option.group, option.name))
            : value.bytes
        return StoredOption(
            domain: domain, group: option.group, name: option.name, value: bytes, isSensitive: option.isSensitive)
    }

    private func open(_ option: StoredOption) throws -> JSON {
        let bytes =
            option.isSensitive
            ? try environment.vault.open(option.value, context: Self.context(option.domain, option.group, option.name))
            : option.value
        return (try? JSON.parse(bytes)) ?? .null
    }

    // MARK: The API

    /// What is set, without the sensitive options; 404 when nothing fits.
    func shown(_ place: DomainConfigPlace) async throws -> JSON {
        try DomainConfigOption.check(place.group, place.option)
        return try await environment.database.read("domain_config.show") { connection in
            try place.requireDomain(connection)
            let found = try shown(place, connection)
            guard !found.isNull else { throw place.notFound }
            return found
        }
    }

    /// null when nothing fits.
    private func shown(_ place: DomainConfigPlace, _ connection: any Connection) throws -> JSON {
        let stored = try DomainConfigStore.options(of: place.domain, connection).filter {
            !$0.isSensitive && place.holds($0)
        }
        guard !stored.isEmpty else { return .null }
        if place.option != nil { return .object(.init(try stored.map { ($0.name, try open($0)) })) }
        var config = JSON.Object()
        for group in DomainConfigOption.groups {
            let options = stored.filter { $0.group == group }
            guard !options.isEmpty else { continue }
            config[group] = .object(.init(try options.map { ($0.name, try open($0)) }))
        }
        return .object(config)
    }

    /// Replaces all options of a domain; tells whether it had none before.
    func create(_ config: DomainConfigChange, in domain: ID<Domain>, by call: Call) async throws -> (JSON, isNew: Bool)
    {
        let options = try config.options.map { try seal($0.value, domain, $0.option) }
        let place = DomainConfigPlace(domain: domain)
        return try await environment.change("domain_config.create", by: call) { connection, changes in
            try place.requireDomain(connection)
            let isNew = try DomainConfigStore.options(of: domain, connection).isEmpty
            try DomainConfigStore.delete(of: domain, connection)
            for option in options { try DomainConfigStore.put(option, connection) }
            Self.record(isNew ? .created : .updated, domain, &changes)
            return (try shownOrEmpty(place, connection), isNew)
        }
    }

    /// Sets options beside those that are there. A change of one group or option needs that one to be set already.
    func update(_ config: DomainConfigChange, at place: DomainConfigPlace, by call: Call) async throws -> JSON {
        let options = try config.options.map { try seal($0.value, place.domain, $0.option) }
        return try await environment.change("domain_config.update", by: call) { connection, changes in
            try place.requireDomain(connection)
            if place.group != nil { try place.requireSet(connection) }
            for option in options { try DomainConfigStore.put(option, connection) }
            Self.record(.updated, place.domain, &changes)
            return try shownOrEmpty(DomainConfigPlace(domain: place.domain), connection)
        }
    }

    func delete(_ place: DomainConfigPlace, by call: Call) async throws {
        try DomainConfigOption.check(place.group, place.option)
        try await environment.change("domain_config.delete", by: call) { connection, changes in
            try place.requireDomain(connection)
            if place.group != nil { try place.requireSet(connection) }
            try DomainConfigStore.delete(of: place.domain, group: place.group, option: place.option, connection)
            Self.record(.deleted, place.domain, &changes)
        }
    }

    private func shownOrEmpty(_ place: DomainConfigPlace, _ connection: any Connection) throws -> JSON {
        let shown = try shown(place, connection)
        return shown.isNull ? .object([:]) : shown
    }

    /// Users of the domain may come from elsewhere from then on, so everything known of them is stale.
    private static func record(_ action: ChangeAction, _ domain: ID<Domain>, _ changes: inout Changes) {
        changes.record(action, "domain_config", domain.text, domain: domain, touching: [.domain(domain), .everything])
    }

    /// The standard values, sensitive ones left out.
    static func standard(group: String?, option: String?) throws -> JSON {
        try DomainConfigOption.check(group, option)
        let shown = DomainConfigOption.all.filter { !$0.isSensitive && (group ?? $0.group) == $0.group }
        if let group, let option {
            guard let found = shown.first(where: { $0.name == option }) else {
                throw DomainConfigOption.invalid(
                    "Reading the default for option \(option) in group \(group) is not supported")
            }
            return .object(.init([(option, found.standard)]))
        }
        return .object(
            .init(
                Dictionary(grouping: shown, by: \.group).sorted { $0.key < $1.key }.map { group, options in
                    (group, .object(.init(options.map { ($0.name, $0.standard) })))
                }))
    }

    /// The rules for new passwords, which everyone may read; the cloud has one set of them, told for the default
    /// domain.
    func passwordRules(of domain: ID<Domain>, option: String?) throws -> JSON {
        guard domain.text == "default" else {
            throw DomainConfigOption.invalid(
                """
                Reading security compliance information for any domain other than the default domain is not allowed \
                or supported
                """)
        }
        let settings = environment.settings
        let hint = settings.passwordRegexHint
        let rules: [(name: String, value: JSON)] = [
            ("password_regex", settings.passwordRegex.map { .string($0) } ?? .null),
            ("password_regex_description", hint.isEmpty ? .null : .string(hint)),
        ]
        guard let option else { return .object(.init([("security_compliance", .object(.init(rules)))])) }
        guard let rule = rules.first(where: { $0.name == option }) else {
            throw DomainConfigOption.invalid(
                """
                Reading security compliance values other than password_regex and password_regex_description is \
                not allowed
                """)
        }
        return .object(.init([rule]))
    }
}
