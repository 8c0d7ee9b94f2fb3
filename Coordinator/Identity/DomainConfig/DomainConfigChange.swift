// SPDX-License-Identifier: Apache-2.0
// Which part of a domain's options a request is about, and what its body wants to set there.

import Core
import Database
import HTTP
import JSON

struct DomainConfigPlace: Sendable {
    let domain: ID<Domain>
    var group: String?
    var option: String?

    func holds(_ stored: StoredOption) -> Bool {
        (group ?? stored.group) == stored.group && (option ?? stored.name) == stored.name
    }

    var notFound: CloudError {
        let what =
            switch (group, option) {
            case (let group?, let option?): "option \(option) in group \(group)"
            case (let group?, nil): "group \(group)"
            default: "any options"
            }
        return CloudError(.notFound, "Could not find \(what) in domain configuration for domain \(domain).")
    }

    func requireDomain(_ connection: any Connection) throws {
        guard try ProjectStore.findDomain(domain, connection) != nil else {
            throw CloudError.notFound("domain", domain.text)
        }
    }

    /// Something is set here, shown or not.
    func requireSet(_ connection: any Connection) throws {
        guard try DomainConfigStore.options(of: domain, connection).contains(where: holds) else { throw notFound }
    }
}

struct DomainConfigChange: Sendable {
    let options: [(option: DomainConfigOption, value: JSON)]

    /// {"config": {"group": {"option": value}}}; for one option: {"config": {"option": value}}.
    init(_ body: RequestFields, _ place: DomainConfigPlace) throws {
        try DomainConfigOption.check(place.group, place.option)
        let config = try body.fields("config").object
        guard !config.isEmpty else { throw DomainConfigOption.invalid("No options specified") }
        if let group = place.group, let option = place.option {
            try Self.requireOnly(config.names, is: option, "option \(option) in group \(group)", "option")
            options = try Self.read(group, config)
            return
        }
        if let group = place.group { try Self.requireOnly(config.names, is: group, "group \(group)", "group") }
        options = try config.members.flatMap { group, value in
            guard let values = value.object, !values.isEmpty else {
                throw DomainConfigOption.invalid(
                    "The value of group \(group) specified in the config should be a dictionary of options")
            }
            return try Self.read(group, values)
        }
    }

    private static func read(_ group: String, _ values: JSON.Object) throws -> [(
        option: DomainConfigOption, value: JSON
    )] {
        try values.members.map { name, value in
            try DomainConfigOption.check(group, name)
            guard let option = DomainConfigOption.find(group, name) else {
                throw DomainConfigOption.invalid("Option \(name) in group \(group) is not supported")
            }
            return (option, value)
        }
    }

    private static func requireOnly(_ names: [String], is wanted: String, _ what: String, _ kind: String) throws {
        guard names.count == 1 else {
            throw DomainConfigOption.invalid(
                "Trying to update \(what), so that, and only that, \(kind) must be specified in the config")
        }
        guard names[0] == wanted else {
            throw DomainConfigOption.invalid(
                "request to update \(what), but config provided contains \(kind) \(names[0]) instead")
        }
    }
}
