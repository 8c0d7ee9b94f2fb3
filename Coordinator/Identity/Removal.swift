// SPDX-License-Identifier: Apache-2.0
// What goes with a user, group, project or domain: rows that no foreign key reaches, because users and groups may
// live in a directory. Called inside the write that deletes the thing itself, before its row goes.

import Core
import Database

enum Removal {
    static func user(_ id: ID<User>, _ connection: any Connection) throws {
        let user: [SQLValue] = [.id(id)]
        try connection.execute("DELETE FROM assignment WHERE actor_id = $1", user)
        try connection.execute("DELETE FROM membership WHERE user_id = $1", user)
        try connection.execute("DELETE FROM credential WHERE user_id = $1", user)
        try connection.execute("DELETE FROM trust WHERE trustor_id = $1 OR trustee_id = $1", user)
        try connection.execute("DELETE FROM application_credential WHERE user_id = $1", user)
        try connection.execute("DELETE FROM access_rule WHERE user_id = $1", user)
        try connection.execute("DELETE FROM totp_use WHERE user_id = $1", user)
        try connection.execute("DELETE FROM directory_entity WHERE public_id = $1", user)
    }

    static func group(_ id: ID<Group>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM assignment WHERE actor_id = $1", [.id(id)])
        try connection.execute("DELETE FROM directory_entity WHERE public_id = $1", [.id(id)])
    }

    static func project(_ id: ID<Project>, _ connection: any Connection) throws {
        let project: [SQLValue] = [.id(id)]
        try connection.execute("DELETE FROM assignment WHERE target_id = $1", project)
        try connection.execute("DELETE FROM credential WHERE project_id = $1", project)
        try connection.execute(
            "UPDATE user_account SET default_project_id = NULL WHERE default_project_id = $1", project)
    }

    /// Everything in a domain that foreign keys do not clear; its projects, users, groups and roles go by cascade.
    static func domain(_ id: ID<Domain>, _ connection: any Connection) throws {
        let domain: [SQLValue] = [.id(id)]
        try connection.execute(
            "DELETE FROM assignment WHERE target_id = $1 OR target_id IN (SELECT id FROM project WHERE domain_id = $1)",
            domain)
        try connection.execute(
            "DELETE FROM credential WHERE project_id IN (SELECT id FROM project WHERE domain_id = $1)", domain)
        try connection.execute(
            """
            UPDATE user_account SET default_project_id = NULL
            WHERE default_project_id IN (SELECT id FROM project WHERE domain_id = $1)
            """, domain)
        // Users of the domain, local and of a directory, each with what user() and group() clear.
        try connection.execute(
            """
            DELETE FROM assignment WHERE actor_id IN (
                SELECT id FROM user_account WHERE domain_id = $1 UNION SELECT id FROM user_group WHERE domain_id = $1
                UNION SELECT public_id FROM directory_entity WHERE domain_id = $1)
            """, domain)
        try connection.execute(
            "DELETE FROM membership WHERE user_id IN (SELECT id FROM user_account WHERE domain_id = $1)", domain)
        try connection.execute(
            """
            DELETE FROM credential WHERE user_id IN (SELECT id FROM user_account WHERE domain_id = $1
                UNION SELECT public_id FROM directory_entity WHERE domain_id = $1)
            """, domain)
        try connection.execute(
            """
            DELETE FROM totp_use WHERE user_id IN (SELECT id FROM user_account WHERE domain_id = $1
                UNION SELECT public_id FROM directory_entity WHERE domain_id = $1)
            """, domain)
        try connection.execute(
            """
            DELETE FROM trust WHERE trustor_id IN (SELECT id FROM user_account WHERE domain_id = $1
                UNION SELECT public_id FROM directory_entity WHERE domain_id = $1)
            """, domain)
        try connection.execute(
            """
            DELETE FROM trust WHERE trustee_id IN (SELECT id FROM user_account WHERE domain_id = $1
                UNION SELECT public_id FROM directory_entity WHERE domain_id = $1)
            """, domain)
        try connection.execute(
            """
            DELETE FROM application_credential WHERE user_id IN (SELECT id FROM user_account WHERE domain_id = $1
                UNION SELECT public_id FROM directory_entity WHERE domain_id = $1)
            """, domain)
        try connection.execute(
            """
            DELETE FROM access_rule WHERE user_id IN (SELECT id FROM user_account WHERE domain_id = $1
                UNION SELECT public_id FROM directory_entity WHERE domain_id = $1)
            """, domain)
    }
}
