// SPDX-License-Identifier: Apache-2.0
// The options a domain may have of its own, by group, each with the value it has when a domain sets none. Anything not
// listed here is refused; sensitive options are stored sealed and never shown.

import Core
import JSON

struct DomainConfigOption: Sendable {
    let group: String
    let name: String
    let standard: JSON
    let isSensitive: Bool

    private init(_ group: String, _ name: String, _ standard: JSON = .null, isSensitive: Bool = false) {
        self.group = group
        self.name = name
        self.standard = standard
        self.isSensitive = isSensitive
    }

    static let groups = ["identity", "ldap"]

    static let all: [DomainConfigOption] = [
        .init("identity", "driver", "sql"),
        .init("identity", "list_limit"),
        .init("ldap", "url", "ldap://localhost"),
        .init("ldap", "user"),
        .init("ldap", "password", isSensitive: true),
        .init("ldap", "suffix", "cn=example,cn=com"),
        .init("ldap", "query_scope", "one"),
        .init("ldap", "page_size", 0),
        .init("ldap", "alias_dereferencing", "default"),
        .init("ldap", "debug_level"),
        .init("ldap", "chase_referrals"),
        .init("ldap", "user_tree_dn"),
        .init("ldap", "user_filter"),
        .init("ldap", "user_objectclass", "inetOrgPerson"),
        .init("ldap", "user_id_attribute", "cn"),
        .init("ldap", "user_name_attribute", "sn"),
        .init("ldap", "user_mail_attribute", "mail"),
        .init("ldap", "user_description_attribute", "description"),
        .init("ldap", "user_pass_attribute", "userPassword"),
        .init("ldap", "user_enabled_attribute", "enabled"),
        .init("ldap", "user_enabled_invert", false),
        .init("ldap", "user_enabled_mask", 0),
        .init("ldap", "user_enabled_default", "True"),
        .init("ldap", "user_attribute_ignore", ["default_project_id"]),
        .init("ldap", "user_default_project_id_attribute"),
        .init("ldap", "user_enabled_emulation", false),
        .init("ldap", "user_enabled_emulation_dn"),
        .init("ldap", "user_enabled_emulation_use_group_config", false),
        .init("ldap", "user_additional_attribute_mapping", []),
        .init("ldap", "group_tree_dn"),
        .init("ldap", "group_filter"),
        .init("ldap", "group_objectclass", "groupOfNames"),
        .init("ldap", "group_id_attribute", "cn"),
        .init("ldap", "group_name_attribute", "ou"),
        .init("ldap", "group_members_are_ids", false),
        .init("ldap", "group_member_attribute", "member"),
        .init("ldap", "group_desc_attribute", "description"),
        .init("ldap", "group_attribute_ignore", []),
        .init("ldap", "group_additional_attribute_mapping", []),
        .init("ldap", "tls_cacertfile"),
        .init("ldap", "tls_cacertdir"),
        .init("ldap", "use_tls", false),
        .init("ldap", "tls_req_cert", "demand"),
        .init("ldap", "use_pool", true),
        .init("ldap", "pool_size", 10),
        .init("ldap", "pool_retry_max", 3),
        .init("ldap", "pool_retry_delay", .number("0.1")),
        .init("ldap", "pool_connection_timeout", -1),
        .init("ldap", "pool_connection_lifetime", 600),
        .init("ldap", "use_auth_pool", true),
        .init("ldap", "auth_pool_size", 100),
        .init("ldap", "auth_pool_connection_lifetime", 60),
    ]

    static func find(_ group: String, _ name: String) -> DomainConfigOption? {
        all.first { $0.group == group && $0.name == name }
    }

    /// Refuses a group or option that a domain cannot have of its own.
    static func check(_ group: String?, _ name: String? = nil) throws {
        guard let group else { return }
        guard groups.contains(group) else {
            throw invalid("Group \(group) is not supported for domain specific configurations")
        }
        guard let name, find(group, name) == nil else { return }
        throw invalid("Option \(name) in group \(group) is not supported for domain specific configurations")
    }

    static func invalid(_ reason: String) -> CloudError {
        .forbidden("Invalid domain specific configuration: \(reason).")
    }
}
