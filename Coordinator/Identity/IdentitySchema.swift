// SPDX-License-Identifier: Apache-2.0
// Identity's tables. A domain is a project with is_domain = 1, as the API has it. Users and groups of an LDAP domain
// have no row here, so what points at users and groups carries no foreign key to them; Removal.swift clears those rows
// when a user, group, project or domain goes. Times are microseconds since 1970, flags 0 or 1, JSON columns text.

import Database

enum IdentitySchema {
    static let migrations: [Migration] = [
        Migration(
            "identity.1.resources",
            [
                """
                CREATE TABLE project (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL,
                    domain_id TEXT REFERENCES project(id) ON DELETE CASCADE,
                    parent_id TEXT REFERENCES project(id) ON DELETE CASCADE,
                    is_domain INTEGER NOT NULL, enabled INTEGER NOT NULL, description TEXT NOT NULL,
                    options TEXT NOT NULL, extra TEXT NOT NULL, tags TEXT NOT NULL DEFAULT '')
                """,
                "CREATE UNIQUE INDEX project_name ON project(domain_id, name) WHERE is_domain = 0",
                "CREATE UNIQUE INDEX domain_name ON project(name) WHERE is_domain = 1",
                "CREATE INDEX project_domains ON project(id) WHERE is_domain = 1",
                "CREATE INDEX project_parent ON project(parent_id)",
                """
                CREATE TABLE domain_config (
                    domain_id TEXT NOT NULL REFERENCES project(id) ON DELETE CASCADE,
                    group_name TEXT NOT NULL, option_name TEXT NOT NULL, value BLOB NOT NULL, is_sensitive INTEGER NOT NULL,
                    PRIMARY KEY (domain_id, group_name, option_name))
                """,
            ]),
        Migration(
            "identity.2.people",
            [
                """
                CREATE TABLE user_account (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL,
                    domain_id TEXT NOT NULL REFERENCES project(id) ON DELETE CASCADE,
                    enabled INTEGER NOT NULL, description TEXT, default_project_id TEXT,
                    options TEXT NOT NULL, extra TEXT NOT NULL, created BIGINT NOT NULL,
                    last_active_day BIGINT, failed_attempts INTEGER NOT NULL, last_failed BIGINT)
                """,
                // By name alone, too: administrators look users up without saying where.
                "CREATE UNIQUE INDEX user_account_name ON user_account(name, domain_id)",
                "CREATE INDEX user_account_domain ON user_account(domain_id, id)",
                "CREATE INDEX user_account_default_project ON user_account(default_project_id)",
                """
                CREATE TABLE user_password (
                    user_id TEXT NOT NULL REFERENCES user_account(id) ON DELETE CASCADE,
                    created BIGINT NOT NULL, hash TEXT NOT NULL, expires BIGINT, is_self_service INTEGER NOT NULL,
                    PRIMARY KEY (user_id, created))
                """,
                """
                CREATE TABLE user_group (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL,
                    domain_id TEXT NOT NULL REFERENCES project(id) ON DELETE CASCADE,
                    description TEXT NOT NULL, extra TEXT NOT NULL)
                """,
                "CREATE UNIQUE INDEX user_group_name ON user_group(name, domain_id)",
                "CREATE INDEX user_group_domain ON user_group(domain_id, id)",
                """
                CREATE TABLE membership (
                    user_id TEXT NOT NULL, group_id TEXT NOT NULL REFERENCES user_group(id) ON DELETE CASCADE,
                    PRIMARY KEY (user_id, group_id))
                """,
                "CREATE INDEX membership_group ON membership(group_id)",
                """
                CREATE TABLE directory_entity (
                    public_id TEXT PRIMARY KEY, domain_id TEXT NOT NULL REFERENCES project(id) ON DELETE CASCADE,
                    kind TEXT NOT NULL, local_id TEXT NOT NULL)
                """,
                "CREATE UNIQUE INDEX directory_entity_local ON directory_entity(domain_id, kind, local_id)",
            ]),
        Migration(
            "identity.3.roles",
            [
                """
                CREATE TABLE role (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL, domain_id TEXT REFERENCES project(id) ON DELETE CASCADE,
                    description TEXT, options TEXT NOT NULL, extra TEXT NOT NULL)
                """,
                "CREATE UNIQUE INDEX role_name ON role(name) WHERE domain_id IS NULL",
                "CREATE UNIQUE INDEX role_domain_name ON role(domain_id, name) WHERE domain_id IS NOT NULL",
                """
                CREATE TABLE implied_role (
                    prior_id TEXT NOT NULL REFERENCES role(id) ON DELETE CASCADE,
                    implied_id TEXT NOT NULL REFERENCES role(id) ON DELETE CASCADE,
                    PRIMARY KEY (prior_id, implied_id))
                """,
                // target_kind is 'project', 'domain' or 'system'; the system's target_id is the word 'system'.
                """
                CREATE TABLE assignment (
                    actor_id TEXT NOT NULL, target_id TEXT NOT NULL,
                    role_id TEXT NOT NULL REFERENCES role(id) ON DELETE CASCADE, inherited INTEGER NOT NULL,
                    actor_kind TEXT NOT NULL, target_kind TEXT NOT NULL,
                    PRIMARY KEY (actor_id, target_id, role_id, inherited))
                """,
                // Lists are paged in the order target, actor, role, inherited: each index gives it for its filter.
                "CREATE INDEX assignment_target ON assignment(target_id, actor_id, role_id, inherited)",
                "CREATE INDEX assignment_role ON assignment(role_id, target_id, actor_id, inherited, actor_kind, target_kind)",
                "CREATE INDEX assignment_inherited ON assignment(target_id, actor_id, role_id) WHERE inherited = 1",
                """
                CREATE TABLE trust (
                    id TEXT PRIMARY KEY, trustor_id TEXT NOT NULL, trustee_id TEXT NOT NULL,
                    project_id TEXT REFERENCES project(id) ON DELETE CASCADE,
                    impersonation INTEGER NOT NULL, expires BIGINT, remaining_uses BIGINT,
                    redelegated_trust_id TEXT REFERENCES trust(id) ON DELETE CASCADE, redelegation_count INTEGER NOT NULL,
                    extra TEXT NOT NULL)
                """,
                "CREATE INDEX trust_trustor ON trust(trustor_id)",
                "CREATE INDEX trust_trustee ON trust(trustee_id)",
                "CREATE INDEX trust_project ON trust(project_id)",
                "CREATE INDEX trust_redelegated ON trust(redelegated_trust_id)",
                """
                CREATE TABLE trust_role (
                    trust_id TEXT NOT NULL REFERENCES trust(id) ON DELETE CASCADE,
                    role_id TEXT NOT NULL REFERENCES role(id) ON DELETE CASCADE,
                    PRIMARY KEY (trust_id, role_id))
                """,
            ]),
        Migration(
            "identity.4.credentials",
            [
                // blob is sealed with the master key.
                """
                CREATE TABLE credential (
                    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, project_id TEXT, type TEXT NOT NULL,
                    blob BLOB NOT NULL, extra TEXT NOT NULL)
                """,
                "CREATE INDEX credential_user ON credential(user_id, type)",
                "CREATE INDEX credential_project ON credential(project_id)",
                """
                CREATE TABLE application_credential (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL, user_id TEXT NOT NULL,
                    project_id TEXT NOT NULL REFERENCES project(id) ON DELETE CASCADE,
                    description TEXT, secret_hash TEXT NOT NULL, expires BIGINT, is_unrestricted INTEGER NOT NULL)
                """,
                "CREATE UNIQUE INDEX application_credential_name ON application_credential(user_id, name)",
                "CREATE INDEX application_credential_project ON application_credential(project_id)",
                """
                CREATE TABLE application_credential_role (
                    application_credential_id TEXT NOT NULL REFERENCES application_credential(id) ON DELETE CASCADE,
                    role_id TEXT NOT NULL REFERENCES role(id) ON DELETE CASCADE,
                    PRIMARY KEY (application_credential_id, role_id))
                """,
                """
                CREATE TABLE access_rule (
                    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, service TEXT NOT NULL, path TEXT NOT NULL, method TEXT NOT NULL)
                """,
                "CREATE UNIQUE INDEX access_rule_content ON access_rule(user_id, service, path, method)",
                """
                CREATE TABLE application_credential_access_rule (
                    application_credential_id TEXT NOT NULL REFERENCES application_credential(id) ON DELETE CASCADE,
                    access_rule_id TEXT NOT NULL REFERENCES access_rule(id),
                    PRIMARY KEY (application_credential_id, access_rule_id))
                """,
                "CREATE INDEX application_credential_access_rule_rule ON application_credential_access_rule(access_rule_id)",
            ]),
        Migration(
            "identity.5.catalog",
            [
                """
                CREATE TABLE region (
                    id TEXT PRIMARY KEY, description TEXT NOT NULL, parent_id TEXT REFERENCES region(id), extra TEXT NOT NULL)
                """,
                """
                CREATE TABLE service (
                    id TEXT PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, description TEXT, enabled INTEGER NOT NULL,
                    extra TEXT NOT NULL)
                """,
                """
                CREATE TABLE endpoint (
                    id TEXT PRIMARY KEY, service_id TEXT NOT NULL REFERENCES service(id) ON DELETE CASCADE,
                    region_id TEXT REFERENCES region(id), interface TEXT NOT NULL, url TEXT NOT NULL, enabled INTEGER NOT NULL,
                    extra TEXT NOT NULL)
                """,
                "CREATE INDEX endpoint_service ON endpoint(service_id)",
                "CREATE TABLE endpoint_group (id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT, filters TEXT NOT NULL)",
                """
                CREATE TABLE project_endpoint (
                    project_id TEXT NOT NULL REFERENCES project(id) ON DELETE CASCADE,
                    endpoint_id TEXT NOT NULL REFERENCES endpoint(id) ON DELETE CASCADE,
                    PRIMARY KEY (project_id, endpoint_id))
                """,
                """
                CREATE TABLE project_endpoint_group (
                    project_id TEXT NOT NULL REFERENCES project(id) ON DELETE CASCADE,
                    endpoint_group_id TEXT NOT NULL REFERENCES endpoint_group(id) ON DELETE CASCADE,
                    PRIMARY KEY (project_id, endpoint_group_id))
                """,
                "CREATE TABLE policy (id TEXT PRIMARY KEY, type TEXT NOT NULL, blob TEXT NOT NULL, extra TEXT NOT NULL)",
                // Exactly one of: an endpoint; a service; a service in a region. Absent ids are the empty text.
                """
                CREATE TABLE policy_association (
                    policy_id TEXT NOT NULL REFERENCES policy(id) ON DELETE CASCADE,
                    endpoint_id TEXT NOT NULL, service_id TEXT NOT NULL, region_id TEXT NOT NULL,
                    PRIMARY KEY (endpoint_id, service_id, region_id))
                """,
            ]),
        Migration(
            "identity.6.limits",
            [
                """
                CREATE TABLE registered_limit (
                    id TEXT PRIMARY KEY, service_id TEXT NOT NULL REFERENCES service(id), region_id TEXT REFERENCES region(id),
                    resource_name TEXT NOT NULL, default_limit BIGINT NOT NULL, description TEXT)
                """,
                "CREATE UNIQUE INDEX registered_limit_subject ON registered_limit(service_id, COALESCE(region_id, ''), resource_name)",
                // One of project_id and domain_id is set.
                """
                CREATE TABLE project_limit (
                    id TEXT PRIMARY KEY, registered_limit_id TEXT NOT NULL REFERENCES registered_limit(id),
                    project_id TEXT REFERENCES project(id) ON DELETE CASCADE,
                    domain_id TEXT REFERENCES project(id) ON DELETE CASCADE,
                    resource_limit BIGINT NOT NULL, description TEXT)
                """,
                """
                CREATE UNIQUE INDEX project_limit_subject
                    ON project_limit(registered_limit_id, COALESCE(project_id, ''), COALESCE(domain_id, ''))
                """,
            ]),
        Migration(
            "identity.7.tokens",
            [
                // The newest signs; older ones verify until their last token has expired. key is sealed.
                "CREATE TABLE token_key (id TEXT PRIMARY KEY, key BLOB NOT NULL, created BIGINT NOT NULL)",
                """
                CREATE TABLE revocation (
                    id TEXT PRIMARY KEY, audit_id TEXT, audit_chain_id TEXT, user_id TEXT, project_id TEXT, domain_id TEXT,
                    role_id TEXT, trust_id TEXT, application_credential_id TEXT, is_system INTEGER NOT NULL,
                    issued_before BIGINT NOT NULL, revoked BIGINT NOT NULL, expires BIGINT NOT NULL)
                """,
                "CREATE INDEX revocation_expires ON revocation(expires)",
                // The last time step whose one-time code a user has used: no code is good twice.
                "CREATE TABLE totp_use (user_id TEXT PRIMARY KEY, step BIGINT NOT NULL)",
            ]),
    ]
}
