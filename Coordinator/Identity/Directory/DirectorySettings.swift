// SPDX-License-Identifier: Apache-2.0
// How a domain's directory is reached and read, from the typed options of the domain's configuration. Options that only
// matter to writing are passed over: a directory is never written to.

import Core
import LDAP

struct DirectorySettings: Sendable, Equatable {
    /// Where users, or groups, are found and how their entries are read.
    struct Entries: Sendable, Equatable {
        let base: String
        let objectClass: String
        let filter: String?
        let idAttribute: String
        let nameAttribute: String
        let descriptionAttribute: String
        /// Further attributes to show.
        let extras: [DirectoryOptions.Mapping]
    }

    /// How an entry tells whether its user may sign in.
    struct Enabled: Sendable, Equatable {
        let attribute: String
        /// The bit that means "disabled"; 0: the attribute is true or false.
        let mask: Int
        let isInverted: Bool
        let standard: String
        /// Members of this group are the enabled users, whatever the attribute says.
        let group: String?
        let groupMemberAttribute: String
    }

    let connection: LDAPSettings
    let scope: LDAPScope
    let users: Entries
    let groups: Entries
    let enabled: Enabled
    let mailAttribute: String
    let defaultProjectAttribute: String?
    let memberAttribute: String
    /// Members are named by their ids rather than by their entries' names.
    let membersAreIDs: Bool

    init(_ options: DirectoryOptions) throws(LDAPError) {
        connection = try Self.connection(options)
        scope = options.searchesSubtree ? .subtree : .oneLevel
        users = Entries(
            base: options.userTree, objectClass: options.userClass, filter: options.userFilter,
            idAttribute: options.userID,
            nameAttribute: options.userName, descriptionAttribute: options.userDescription,
            extras: options.userExtraAttributes)
        groups = Entries(
            base: options.groupTree, objectClass: options.groupClass, filter: options.groupFilter,
            idAttribute: options.groupID, nameAttribute: options.groupName,
            descriptionAttribute: options.groupDescription, extras: options.groupExtraAttributes)
        enabled = Enabled(
            attribute: options.userEnabled, mask: options.userEnabledMask, isInverted: options.userEnabledIsInverted,
            standard: options.userEnabledDefault, group: options.enabledGroup,
            groupMemberAttribute: options.enabledGroupUsesGroupOptions ? options.groupMember : "member")
        mailAttribute = options.userMail
        defaultProjectAttribute = options.userDefaultProject
        memberAttribute = options.groupMember
        membersAreIDs = options.groupMembersAreIDs
    }

    private static func connection(_ options: DirectoryOptions) throws(LDAPError) -> LDAPSettings {
        var settings = LDAPSettings(urls: options.urls, account: options.user.map { ($0, options.password ?? "") })
        settings.startsTLS = options.usesStartTLS
        settings.authorityFile = options.certificateAuthorityFile
        if settings.authorityFile == nil, options.certificateAuthorityDirectory != nil {
            throw .settings("certificates are read from the file tls_cacertfile only, not from tls_cacertdir")
        }
        settings.checksCertificate = options.certificates == .demand
        settings.connections = min(options.poolSize, Limits.directoryConnections)
        settings.idleSeconds = min(options.connectionLifetimeSeconds, 86_400)
        // 0 is "no paging", which every directory's own limits would turn into a list that cannot be read.
        if options.pageSize > 0 { settings.pageEntries = min(options.pageSize, Limits.directoryEntries) }
        if let seconds = options.connectionTimeoutSeconds { settings.networkSeconds = min(seconds, 60) }
        settings.operationSeconds = max(settings.operationSeconds, settings.networkSeconds * 2)
        try settings.check()
        return settings
    }
}
