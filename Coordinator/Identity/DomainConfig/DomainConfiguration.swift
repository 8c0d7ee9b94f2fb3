// SPDX-License-Identifier: Apache-2.0
// A domain's options as the directory code wants them: typed, with standard values filled in and %(password)s put into
// the texts that refer to it. A value of the wrong type reads as the standard one, as no request can be refused any
// more here.

import Core
import JSON

package struct DomainConfiguration: Sendable, Equatable {
    package enum Driver: Sendable, Equatable {
        /// Users and groups are rows of our own tables.
        case sql
        /// Users and groups are read from a directory.
        case ldap
    }
    package var driver: Driver
    /// The most entries a list of users or groups may have; nil: as many as there are.
    package var listLimit: Int?
    package var directory: DirectoryOptions

    /// What a domain without options of its own has.
    package static let standard = DomainConfiguration([:])

    /// From values by "group.option".
    init(_ values: [String: JSON]) {
        let reader = OptionReader(values)
        driver = reader.text("identity", "driver") == "ldap" ? .ldap : .sql
        listLimit = reader.int("identity", "list_limit").flatMap { $0 > 0 ? $0 : nil }
        directory = DirectoryOptions(reader)
    }
}

package struct DirectoryOptions: Sendable, Equatable {
    package enum Certificates: String, Sendable { case demand, allow, never }

    /// Tried in order.
    package var urls: [String]
    /// nil: anonymous.
    package var user: String?
    package var password: String?
    package var suffix: String
    package var searchesSubtree: Bool
    /// 0: no paging.
    package var pageSize: Int
    package var aliasDereferencing: String
    /// nil: as the library does by itself.
    package var chasesReferrals: Bool?

    package var userTree: String
    package var userFilter: String?
    package var userClass: String
    package var userID: String
    package var userName: String
    package var userMail: String
    package var userDescription: String
    package var userPassword: String
    package var userEnabled: String
    package var userEnabledIsInverted: Bool
    /// 0: the attribute is a flag; else these bits of a number say that a user is disabled.
    package var userEnabledMask: Int
    package var userEnabledDefault: String
    package var userDefaultProject: String?
    /// Members of this group are the enabled users; nil: the attribute tells.
    package var enabledGroup: String?
    package var enabledGroupUsesGroupOptions: Bool
    /// Directory attribute to the name the API shows it under.
    package var userExtraAttributes: [Mapping]
    package var ignoredUserAttributes: [String]

    package var groupTree: String
    package var groupFilter: String?
    package var groupClass: String
    package var groupID: String
    package var groupName: String
    package var groupMember: String
    package var groupMembersAreIDs: Bool
    package var groupDescription: String
    package var groupExtraAttributes: [Mapping]
    package var ignoredGroupAttributes: [String]

    package var certificateAuthorityFile: String?
    package var certificateAuthorityDirectory: String?
    package var usesStartTLS: Bool
    package var certificates: Certificates

    package var usesPool: Bool
    package var poolSize: Int
    package var connectionLifetimeSeconds: Int
    /// nil: our own standard.
    package var connectionTimeoutSeconds: Int?

    package struct Mapping: Sendable, Equatable {
        package let attribute: String
        package let name: String
    }

    init(_ reader: OptionReader) {
        func text(_ name: String) -> String { reader.text("ldap", name) ?? "" }
        func optional(_ name: String) -> String? { reader.text("ldap", name).flatMap { $0.isEmpty ? nil : $0 } }
        func flag(_ name: String) -> Bool { reader.bool("ldap", name) ?? false }
        func number(_ name: String) -> Int { reader.int("ldap", name) ?? 0 }

        urls = reader.list("ldap", "url")
        user = optional("user")
        password = optional("password")
        suffix = text("suffix")
        searchesSubtree = text("query_scope") == "sub"
        pageSize = max(0, number("page_size"))
        aliasDereferencing = text("alias_dereferencing")
        chasesReferrals = reader.bool("ldap", "chase_referrals")

        userTree = optional("user_tree_dn") ?? "ou=Users," + text("suffix")
        userFilter = optional("user_filter")
        userClass = text("user_objectclass")
        userID = text("user_id_attribute")
        userName = text("user_name_attribute")
        userMail = text("user_mail_attribute")
        userDescription = text("user_description_attribute")
        userPassword = text("user_pass_attribute")
        userEnabled = text("user_enabled_attribute")
        userEnabledIsInverted = flag("user_enabled_invert")
        userEnabledMask = number("user_enabled_mask")
        userEnabledDefault = text("user_enabled_default")
        userDefaultProject = optional("user_default_project_id_attribute")
        let standardGroup = "cn=enabled_users," + userTree
        enabledGroup = flag("user_enabled_emulation") ? optional("user_enabled_emulation_dn") ?? standardGroup : nil
        enabledGroupUsesGroupOptions = flag("user_enabled_emulation_use_group_config")
        userExtraAttributes = Self.mappings(reader.list("ldap", "user_additional_attribute_mapping"))
        ignoredUserAttributes = reader.list("ldap", "user_attribute_ignore")

        groupTree = optional("group_tree_dn") ?? "ou=UserGroups," + text("suffix")
        groupFilter = optional("group_filter")
        groupClass = text("group_objectclass")
        groupID = text("group_id_attribute")
        groupName = text("group_name_attribute")
        groupMember = text("group_member_attribute")
        groupMembersAreIDs = flag("group_members_are_ids")
        groupDescription = text("group_desc_attribute")
        groupExtraAttributes = Self.mappings(reader.list("ldap", "group_additional_attribute_mapping"))
        ignoredGroupAttributes = reader.list("ldap", "group_attribute_ignore")

        certificateAuthorityFile = optional("tls_cacertfile")
        certificateAuthorityDirectory = optional("tls_cacertdir")
        usesStartTLS = flag("use_tls")
        certificates = Certificates(rawValue: text("tls_req_cert")) ?? .demand

        usesPool = flag("use_pool")
        poolSize = min(max(1, number("pool_size")), 256)
        connectionLifetimeSeconds = max(1, number("pool_connection_lifetime"))
        let timeout = number("pool_connection_timeout")
        connectionTimeoutSeconds = timeout > 0 ? timeout : nil
    }

    /// "attribute:name", "attribute:name" …
    private static func mappings(_ texts: [String]) -> [Mapping] {
        texts.compactMap { text in
            let parts = text.split(separator: ":", maxSplits: 1)
            return parts.count == 2 ? Mapping(attribute: String(parts[0]), name: String(parts[1])) : nil
        }
    }
}

/// Reads options in the forms clients send them: numbers, flags and lists may come as texts.
struct OptionReader {
    private let values: [String: JSON]

    init(_ values: [String: JSON]) { self.values = values }

    private func value(_ group: String, _ name: String) -> JSON? {
        values["\(group).\(name)"] ?? DomainConfigOption.find(group, name)?.standard
    }

    private func standard(_ group: String, _ name: String) -> JSON? { DomainConfigOption.find(group, name)?.standard }

    func text(_ group: String, _ name: String) -> String? {
        switch value(group, name) {
        case .string(let text): text
        case .int(let number): String(number)
        case .bool(let flag): flag ? "True" : "False"
        default: standard(group, name)?.string
        }
    }

    func int(_ group: String, _ name: String) -> Int? {
        switch value(group, name) {
        case .int(let number): number
        case .string(let text): Int(text) ?? standard(group, name)?.int
        default: standard(group, name)?.int
        }
    }

    func bool(_ group: String, _ name: String) -> Bool? {
        switch value(group, name) {
        case .bool(let flag): return flag
        case .string(let text):
            switch text.lowercased() {
            case "true", "yes", "on", "1": return true
            case "false", "no", "off", "0": return false
            default: return standard(group, name)?.bool
            }
        default: return standard(group, name)?.bool
        }
    }

    func list(_ group: String, _ name: String) -> [String] {
        switch value(group, name) {
        case .array(let elements): elements.compactMap(\.string)
        case .string(let text): text.split(separator: ",").map { $0.filter { $0 != " " } }
        default: []
        }
    }
}

enum Substitution {
    /// Puts a value in for %(name)s; a reference to nothing stays as it is, and %% is one percent sign.
    static func apply(_ text: String, _ values: [String: String]) -> String {
        guard text.contains("%") else { return text }
        var out = ""
        var rest = text[...]
        while let sign = rest.firstIndex(of: "%") {
            out += rest[..<sign]
            rest = rest[sign...]
            if rest.hasPrefix("%%") {
                out += "%"
                rest = rest.dropFirst(2)
            } else if rest.hasPrefix("%("), let end = rest.firstIndex(of: ")"), rest[end...].hasPrefix(")s"),
                let value = values[String(rest[rest.index(sign, offsetBy: 2)..<end])]
            {
                out += value
                rest = rest[rest.index(end, offsetBy: 2)...]
            } else {
                out += "%"
                rest = rest.dropFirst()
            }
        }
        return out + rest
    }
}
