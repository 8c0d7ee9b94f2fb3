// SPDX-License-Identifier: Apache-2.0
// The table of configuration keys. A new key is one property in Config.swift and one entry here, and the total stays
// under thirty: what can be found out or has one right value is not a key.

package struct ConfigKey: Sendable {
    package let name: String
    /// Lines for the configuration file and the man page.
    package let documentation: String
    /// "a whole number from 1 to 10"
    package let expectation: String
    /// Words a shell may offer.
    package let choices: [String]
    let set: @Sendable (inout Config, String) throws(ConfigRefusal) -> Void
    /// The key's value in a configuration, as the file would have it.
    package let text: @Sendable (Config) -> String

    init<Value: Sendable>(
        _ name: String, _ property: WritableKeyPath<Config, Value> & Sendable, _ form: ConfigForm<Value>,
        _ documentation: String
    ) {
        self.name = name
        self.documentation = documentation
        expectation = form.expectation
        choices = form.choices
        set = { config, text throws(ConfigRefusal) in
            guard let value = try form.parse(text) else { throw ConfigRefusal("it must be \(form.expectation)") }
            config[keyPath: property] = value
        }
        text = { form.text($0[keyPath: property]) }
    }

    package var defaultText: String { text(Config()) }
    /// "MARTLET_TOKEN_LIFETIME_SECONDS"
    package var environmentName: String { "MARTLET_" + name.uppercased() }

    package static func named(_ name: String) -> ConfigKey? { all.first { $0.name == name } }

    package static let all: [ConfigKey] = service + access + passwords + tree

    private static let service = [
        ConfigKey(
            "listen", \.listen, .address,
            """
            The address and port to serve on. [::]:5000 serves every network, IPv4 and IPv6.
            """),
        ConfigKey(
            "public_url", \.publicURL, .url,
            """
            The URL that clients use, as the catalog shows it: https://cloud.example.com. Empty: made from 'listen'.
            """),
        ConfigKey(
            "region", \.region, .text("a name of 1 to 255 characters") { (1...255).contains($0.count) },
            """
            The name of this cloud's region in the catalog.
            """),
        ConfigKey(
            "data_directory", \.dataDirectory, .text("a directory") { !$0.isEmpty },
            """
            Where the database and the secret key live. A relative path is seen from this file's directory.
            """),
        ConfigKey(
            "database", \.storage, .storage,
            """
            'sqlite' is a file in the data directory and needs nothing installed. Several coordinators at once share
            postgresql://user@host/name; a password belongs in ~/.pgpass or the URL.
            """),
        ConfigKey(
            "tls_certificate", \.tlsCertificate, .text("a PEM file"),
            """
            A PEM file with the server's certificate and the chain up to its issuer. Empty: plain HTTP.
            A changed file is taken up on SIGHUP (systemctl reload).
            """),
        ConfigKey(
            "tls_key", \.tlsKey, .text("a PEM file"),
            """
            The certificate's private key, a PEM file only the service's user may read.
            """),
        ConfigKey(
            "log_level", \.logLevel, .logLevel,
            """
            debug, info, warning or error. The log is one JSON object a line; 'info' has a line for every request.
            """),
    ]

    private static let access = [
        ConfigKey(
            "audit_log", \.auditLog, .text("a file"),
            """
            A file that gets one CADF record, as JSON, for every change: who, what, from where. Empty: none.
            logrotate may move it away at any time.
            """),
        ConfigKey(
            "policy_file", \.policyFile, .text("a file"),
            """
            A file that overrides single policy rules, one a line: "identity:list_users": "role:admin or role:auditor".
            `martlet policy list` shows every rule.
            """),
        ConfigKey(
            "enforce_scope", \.enforceScope, .boolean,
            """
            Whether a token of the wrong scope (project where a system token is meant …) is refused.
            """),
        ConfigKey(
            "cors_origins", \.corsOrigins,
            .list("'*' or origins such as https://console.example.com") { $0 == "*" || $0.contains("://") },
            """
            Web pages that browsers may let call the API: origins, separated by commas. Empty: none.
            """),
        ConfigKey(
            "trusted_proxies", \.trustedProxies, .list("addresses such as 10.0.0.5 or 10.0.0.0/8", isNetwork),
            """
            Proxies in front of the service, addresses or networks, whose X-Forwarded-For is believed.
            """),
        ConfigKey(
            "token_lifetime_seconds", \.tokenLifetimeSeconds, .integer(60...2_592_000),
            """
            How long a token is good for.
            """),
    ]

    private static let passwords = [
        ConfigKey(
            "password_hash", \.passwordHash, .passwordHash,
            """
            How new passwords are hashed: argon2id, argon2id:MiB:passes, bcrypt or bcrypt:cost. Old hashes stay valid.
            """),
        ConfigKey(
            "lockout_attempts", \.lockoutAttempts, .integer(1...1000, zero: "no lock-out"),
            """
            Failed sign-ins in a row that lock a user out for 'lockout_seconds'. 0: never.
            """),
        ConfigKey(
            "lockout_seconds", \.lockoutSeconds, .integer(1...31_536_000),
            """
            How long a locked-out user stays so.
            """),
        ConfigKey(
            "password_history", \.passwordHistory, .integer(1...100, zero: "no history"),
            """
            How many of a user's last passwords may not be used again. 0: no such rule.
            """),
        ConfigKey(
            "password_expires_days", \.passwordExpiresDays, .integer(1...36_500, zero: "never"),
            """
            Days after which a password must be changed. 0: never.
            """),
        ConfigKey(
            "password_minimum_age_days", \.passwordMinimumAgeDays, .integer(1...36_500, zero: "no minimum"),
            """
            Days before a user may change a password again. 0: at once.
            """),
        ConfigKey(
            "password_regex", \.passwordRegex, .pattern,
            """
            A regular expression that new passwords must match from their start, such as ^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$
            """),
        ConfigKey(
            "password_regex_hint", \.passwordRegexHint, .text("a sentence"),
            """
            What 'password_regex' asks for, in words for users.
            """),
        ConfigKey(
            "inactive_days", \.inactiveDays, .integer(1...36_500, zero: "never"),
            """
            Days without a sign-in after which a user is disabled. 0: never.
            """),
        ConfigKey(
            "change_password_on_first_use", \.changePasswordOnFirstUse, .boolean,
            """
            Whether a password set by an administrator must be changed at the first sign-in.
            """),
    ]

    private static let tree = [
        ConfigKey(
            "project_depth", \.projectDepth, .integer(1...100),
            """
            How many levels of projects may lie in each other.
            """),
        ConfigKey(
            "limit_model", \.limitModel, .choice,
            """
            'flat': each project has its own limits. 'strict_two_level': a project's children share what it has.
            """),
    ]

    @Sendable private static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let address = parts.first, address.allSatisfy({ $0.isHexDigit || $0 == "." || $0 == ":" }) else {
            return false
        }
        let bits = address.contains(":") ? 128 : 32
        return parts.count == 1 || Int(parts[1]).map { (0...bits).contains($0) } ?? false
    }
}
