// SPDX-License-Identifier: Apache-2.0
// What a directory's entries mean: users and groups with the ids that the API shows. Pure: entries in, records out.
//
// A public id is made of the domain, the kind and the entry's own id, so the same entry has the same id for ever, on
// every coordinator and after every restart. An entry without an id or a name is no user and no group.

import Core
import Crypto
import JSON
import LDAP

enum DirectoryKind: String, Sendable { case user, group }

enum DirectoryID {
    static func make(_ domain: ID<Domain>, _ kind: DirectoryKind, _ local: String) -> String {
        Hex.text(Digest.sha256(Array((domain.text + kind.rawValue + local).utf8)))
    }

    /// Our own ids have 32 digits at most, so a look-up of one need not ask for a directory's.
    static func isPossible(_ id: String) -> Bool { id.utf8.count == 64 }
}

struct DirectoryUser: Sendable {
    let local: String
    /// The entry's name: what the user signs in as, and what groups call a member.
    let entryName: String
    private(set) var record: UserRecord

    func enabled(_ isEnabled: Bool) -> DirectoryUser {
        var user = self
        user.record.isEnabled = isEnabled
        return user
    }
}

struct DirectoryGroup: Sendable {
    let local: String
    let entryName: String
    let record: GroupRecord
    let members: [String]
}

struct DirectoryReader: Sendable {
    let domain: ID<Domain>
    let settings: DirectorySettings

    // MARK: Searching

    var userAttributes: [String] {
        let entries = settings.users
        return [
            entries.idAttribute, entries.nameAttribute, entries.descriptionAttribute, settings.mailAttribute,
            settings.enabled.attribute,
        ] + (settings.defaultProjectAttribute.map { [$0] } ?? []) + entries.extras.map(\.attribute)
    }

    var groupAttributes: [String] {
        let entries = settings.groups
        return [entries.idAttribute, entries.nameAttribute, entries.descriptionAttribute, settings.memberAttribute]
            + entries.extras.map(\.attribute)
    }

    func filter(_ entries: DirectorySettings.Entries, _ condition: LDAPFilter? = nil) -> LDAPFilter {
        var parts = [LDAPFilter.equal("objectClass", entries.objectClass)]
        if let written = entries.filter { parts.append(.written(written)) }
        if let condition { parts.append(condition) }
        return .all(parts)
    }

    /// The groups that name this user as a member.
    func filter(groupsOf user: DirectoryUser) -> LDAPFilter {
        filter(settings.groups, .equal(settings.memberAttribute, settings.membersAreIDs ? user.local : user.entryName))
    }

    // MARK: Reading

    func user(_ entry: LDAPEntry) -> DirectoryUser? {
        let entries = settings.users
        guard let local = id(entry, entries.idAttribute), let name = entry.first(entries.nameAttribute), !name.isEmpty
        else { return nil }
        var record = UserRecord(
            id: ID(DirectoryID.make(domain, .user, local)), name: name, domain: domain, isEnabled: isEnabled(entry),
            description: entry.first(entries.descriptionAttribute), created: Instant(seconds: 0), isLocal: false)
        if let attribute = settings.defaultProjectAttribute {
            record.defaultProject = entry.first(attribute).map { ID($0) }
        }
        if let mail = entry.first(settings.mailAttribute) { record.extra["email"] = .string(mail) }
        add(entries.extras, entry, to: &record.extra)
        return DirectoryUser(local: local, entryName: entry.name, record: record)
    }

    func group(_ entry: LDAPEntry) -> DirectoryGroup? {
        let entries = settings.groups
        guard let local = id(entry, entries.idAttribute), let name = entry.first(entries.nameAttribute), !name.isEmpty
        else { return nil }
        var record = GroupRecord(
            id: ID(DirectoryID.make(domain, .group, local)), name: name, domain: domain,
            description: entry.first(entries.descriptionAttribute) ?? "", isLocal: false)
        add(entries.extras, entry, to: &record.extra)
        return DirectoryGroup(
            local: local, entryName: entry.name, record: record, members: entry.strings(settings.memberAttribute))
    }

    func isMember(_ user: DirectoryUser, of group: DirectoryGroup) -> Bool {
        if settings.membersAreIDs { return group.members.contains(user.local) }
        let name = LDAPName.normalized(user.entryName)
        return group.members.contains { $0 == user.entryName || LDAPName.normalized($0) == name }
    }

    /// The value in the entry's own name counts first; an attribute with several values names nobody.
    private func id(_ entry: LDAPEntry, _ attribute: String) -> String? {
        let own = LDAPName.parts(entry.name)?.first?.first { $0.attribute.lowercased() == attribute.lowercased() }
        if let own { return own.value }
        let values = entry.strings(attribute)
        return values.count == 1 ? values[0] : nil
    }

    private func isEnabled(_ entry: LDAPEntry) -> Bool {
        let rule = settings.enabled
        let value = entry.first(rule.attribute) ?? rule.standard
        if rule.mask != 0 { return (Int(value) ?? Int(rule.standard) ?? 0) & rule.mask != rule.mask }
        let isOn = !["false", "0", "no", "off"].contains(value.lowercased())
        return rule.isInverted ? !isOn : isOn
    }

    private func add(_ extras: [DirectoryOptions.Mapping], _ entry: LDAPEntry, to object: inout JSON.Object) {
        for extra in extras where !Self.ownMembers.contains(extra.name) {
            if let value = entry.first(extra.attribute) { object[extra.name] = .string(value) }
        }
    }

    /// Members of the answer that an attribute cannot take the place of.
    private static let ownMembers: Set<String> = [
        "id", "name", "domain_id", "enabled", "description", "default_project_id", "options", "password", "links",
        "password_expires_at", "membership_expires_at",
    ]
}
