// SPDX-License-Identifier: Apache-2.0
// What a list of role assignments is asked for. Combinations that mean nothing, or could only give an empty list, are
// refused.

import Core
import HTTP

struct AssignmentFilter: Sendable {
    var user: ID<User>?
    var group: ID<Group>?
    var role: ID<Role>?
    var project: ID<Project>?
    var domain: ID<Domain>?
    var isSystem = false
    /// nil: both.
    var isInherited: Bool?
    /// Groups become their members, inherited grants the projects below, and implied roles are shown.
    var isEffective = false
    var includesNames = false
    /// The projects below `project` too.
    var includesSubtree = false
    /// A caller scoped to a domain sees only assignments in it.
    var within: ID<Domain>?

    init() {}

    init(_ query: QueryParameters) throws {
        func value(_ name: String) -> String? { query[name].flatMap { $0.isEmpty ? nil : $0 } }
        user = value("user.id").map { ID($0) }
        group = value("group.id").map { ID($0) }
        role = value("role.id").map { ID($0) }
        project = value("scope.project.id").map { ID($0) }
        domain = value("scope.domain.id").map { ID($0) }
        isSystem = value("scope.system") == "all"
        isInherited = query["scope.OS-INHERIT:inherited_to"].map { $0 == "projects" }
        isEffective = query.flag("effective")
        includesNames = query.flag("include_names")
        includesSubtree = project != nil && query.flag("include_subtree")
        try check(namesSystem: value("scope.system") != nil)
    }

    private func check(namesSystem: Bool) throws {
        func refuse(_ message: String) -> CloudError { .badRequest(message) }
        if domain != nil, project != nil {
            throw refuse(
                "Specify a domain or project, not both: scope.domain.id and scope.project.id exclude each other.")
        }
        if domain != nil, namesSystem {
            throw refuse("Specify system or domain, not both: scope.system and scope.domain.id exclude each other.")
        }
        if project != nil, namesSystem {
            throw refuse("Specify system or project, not both: scope.system and scope.project.id exclude each other.")
        }
        if user != nil, group != nil {
            throw refuse("Specify a user or group, not both: user.id and group.id exclude each other.")
        }
        guard isEffective else { return }
        if group != nil { throw refuse("Combining effective and group.id will always result in an empty list.") }
        if domain != nil, isInherited == true {
            throw refuse(
                """
                Combining effective, scope.domain.id and scope.OS-INHERIT:inherited_to will always result in an empty \
                list.
                """)
        }
    }
}

/// One line of a list of assignments.
struct ListedAssignment: Sendable, Equatable {
    var actor: AssignmentActor
    var target: AssignmentTarget
    var role: ID<Role>
    /// Inherited, or shown because it is.
    var isInherited: Bool
    /// The group through which a user has the role.
    var group: ID<Group>?
    /// Where an inherited role was given.
    var source: AssignmentTarget?
    /// The role that implies this one, and the role that was given.
    var prior: ID<Role>?
    var given: ID<Role>
    var names: Names?

    struct Names: Sendable, Equatable {
        var actor = ""
        var actorDomain = ""
        var actorDomainName = ""
        var target = ""
        var targetDomain = ""
        var targetDomainName = ""
        var roleDomainName = ""
    }

    /// Names its place in the order of the list; the next page begins after it.
    let marker: String
}
