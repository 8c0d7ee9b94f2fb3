// SPDX-License-Identifier: Apache-2.0
// The first and the last things an operator needs of identity: people, projects and roles, before any client can sign
// in or when none can any more. The rest is the business of OpenStack's own client.

import Core
import HTTP
import JSON

enum IdentityCommands {
    static let all = [userList, userCreate, userSetPassword, projectList, projectCreate, roleList, roleAdd, roleRemove]

    private static let domain = Subcommand.Option("--domain", "NAME", "the domain's name or id (default: Default)")
    private static let assignment = [
        Subcommand.Option("--user", "NAME", "whom: a name or an id"),
        Subcommand.Option("--project", "NAME", "where: a project's name or id"),
        Subcommand.Option("--system", nil, "on the whole system instead"), domain,
    ]

    private static let userList = Subcommand("user list", "List the users of a domain", options: [domain]) {
        invocation in
        try await Console.open(try invocation.config()) { console in
            let domain = try await console.domain(invocation)
            var table = Table("id", "name", "enabled", "description")
            for user in try await console.call(.get, "/users?domain_id=\(domain)")["users"]?.array ?? [] {
                table.add(
                    user.text("id"), user.text("name"), user["enabled"]?.bool == false ? "no" : "yes",
                    user.text("description"))
            }
            table.print(asJSON: invocation.wantsJSON)
            return .success
        }
    }

    private static let userCreate = Subcommand(
        "user create", "Make a user",
        detail: "The password is asked for, or comes from standard input or MARTLET_PASSWORD.",
        arguments: [.init("NAME", "the new user's name")],
        options: [domain, Invocation.passwordOption, .init("--description", "TEXT", "a description")]
    ) { invocation in
        let name = invocation.argument("NAME")
        let password = try invocation.requiredPassword(of: name)
        return try await Console.open(try invocation.config()) { console in
            var user: JSON.Object = [
                "name": .string(name), "password": .string(password),
                "domain_id": .string(try await console.domain(invocation)),
            ]
            if let text = invocation.value("--description") { user["description"] = .string(text) }
            let made = try await console.call(.post, "/users", ["user": .object(user)])
            return said(made["user"], invocation, "Made user \(name)")
        }
    }

    private static let userSetPassword = Subcommand(
        "user set-password", "Give a user a new password",
        detail: "The password is asked for, or comes from standard input or MARTLET_PASSWORD.",
        arguments: [.init("NAME", "the user's name or id")], options: [domain, Invocation.passwordOption]
    ) { invocation in
        let name = invocation.argument("NAME")
        let password = try invocation.requiredPassword(of: name)
        return try await Console.open(try invocation.config()) { console in
            let id = try await console.user(name, invocation)
            try await console.call(.patch, "/users/\(id)", ["user": ["password": .string(password)]])
            Terminal.say("The password of \(name) is set; tokens it had are revoked.")
            return .success
        }
    }

    private static let projectList = Subcommand(
        "project list", "List the projects of a domain", options: [domain]
    ) { invocation in
        try await Console.open(try invocation.config()) { console in
            let domain = try await console.domain(invocation)
            var table = Table("id", "name", "enabled", "description")
            for project in try await console.call(.get, "/projects?domain_id=\(domain)")["projects"]?.array ?? [] {
                table.add(
                    project.text("id"), project.text("name"), project["enabled"]?.bool == false ? "no" : "yes",
                    project.text("description"))
            }
            table.print(asJSON: invocation.wantsJSON)
            return .success
        }
    }

    private static let projectCreate = Subcommand(
        "project create", "Make a project", arguments: [.init("NAME", "the new project's name")],
        options: [domain, .init("--description", "TEXT", "a description")]
    ) { invocation in
        let name = invocation.argument("NAME")
        return try await Console.open(try invocation.config()) { console in
            let project: JSON = [
                "name": .string(name), "domain_id": .string(try await console.domain(invocation)),
                "description": .string(invocation.value("--description") ?? ""),
            ]
            let made = try await console.call(.post, "/projects", ["project": project])
            return said(made["project"], invocation, "Made project \(name)")
        }
    }

    private static let roleList = Subcommand("role list", "List the roles") { invocation in
        try await Console.open(try invocation.config()) { console in
            var table = Table("id", "name", "description")
            for role in try await console.call(.get, "/roles")["roles"]?.array ?? [] {
                table.add(role.text("id"), role.text("name"), role.text("description"))
            }
            table.print(asJSON: invocation.wantsJSON)
            return .success
        }
    }

    private static let roleAdd = Subcommand(
        "role add", "Give a user a role on a project or on the system",
        arguments: [.init("ROLE", "the role's name or id")], options: assignment
    ) { invocation in
        try await change(.put, invocation)
        Terminal.say("Done.")
        return .success
    }

    private static let roleRemove = Subcommand(
        "role remove", "Take a role from a user", arguments: [.init("ROLE", "the role's name or id")],
        options: assignment
    ) { invocation in
        try await change(.delete, invocation)
        Terminal.say("Done.")
        return .success
    }

    private static func change(_ method: HTTPMethod, _ invocation: Invocation) async throws {
        guard let user = invocation.value("--user") else {
            throw UsageError("--user is missing: whom the role is for.")
        }
        let project = invocation.value("--project")
        guard (project == nil) == invocation.has("--system") else {
            throw UsageError("Say where: either --project NAME or --system.")
        }
        try await Console.open(try invocation.config()) { console in
            let role = try await console.find("roles", invocation.argument("ROLE"), "")
            let who = try await console.user(user, invocation)
            var place = "/system"
            if let project {
                let domain = try await console.domain(invocation)
                place = "/projects/" + (try await console.find("projects", project, "domain_id=\(domain)"))
            }
            try await console.call(method, "\(place)/users/\(who)/roles/\(role)")
        }
    }

    private static func said(_ made: JSON?, _ invocation: Invocation, _ sentence: String) -> ExitCode {
        let id = made?.text("id") ?? ""
        if invocation.wantsJSON {
            Terminal.json { $0.object { $0.field("id", id) } }
        } else {
            Terminal.say("\(sentence), id \(id).")
        }
        return .success
    }
}

extension Console {
    /// The id of --domain; the domain "Default" without it.
    func domain(_ invocation: Invocation) async throws -> String {
        try await find("domains", invocation.value("--domain") ?? "default", "")
    }

    func user(_ name: String, _ invocation: Invocation) async throws -> String {
        try await find("users", name, "domain_id=\(try await domain(invocation))")
    }

    /// The id of what is named by its name or its id: "users", "projects", "roles", "domains".
    func find(_ kind: String, _ word: String, _ filter: String) async throws -> String {
        let filters = filter.isEmpty ? "" : "&" + filter
        let named = try await call(.get, "/\(kind)?name=\(Self.encoded(word))\(filters)")[kind]?.array ?? []
        if let id = named.first?.text("id") { return id }
        let singular = String(kind.dropLast())
        if let found = try? await call(.get, "/\(kind)/\(Self.encoded(word))")[singular]?.text("id") { return found }
        throw CloudError.notFound(singular, word)
    }
}

extension JSON {
    /// A member that is text; empty when it is absent or null.
    func text(_ name: String) -> String { self[name]?.string ?? "" }
}
