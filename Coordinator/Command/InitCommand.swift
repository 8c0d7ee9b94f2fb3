// SPDX-License-Identifier: Apache-2.0
// `martlet init`: from an empty directory to a cloud that can be started. It makes what is missing and keeps what is
// there, so running it again mends a half-made cloud and harms none.

import Assembly
import Core
import Crypto
import Database
import Glibc
import Identity

enum InitCommand {
    static let all = [initialize, resetPassword]

    private static let initialize = Subcommand(
        "init", "Make a new cloud: configuration, secret key, database, first administrator, credentials",
        detail: """
            Makes what is missing and keeps what is there. The administrator's password comes from standard input, from
            MARTLET_ADMIN_PASSWORD, or is made up; it is found in openrc and clouds.yaml.
            """,
        options: [
            .init("--directory", "DIR", "where the configuration and the credentials go (default: /etc/martlet)"),
            .init("--listen", "ADDR:PORT", "the key 'listen'"),
            .init("--public-url", "URL", "the key 'public_url'"),
            .init("--database", "URL", "the key 'database'"),
            .init("--set", "KEY=VALUE", "any other key of the configuration", isRepeatable: true),
            .init("--tls", nil, "make a self-signed certificate and serve TLS with it"),
            .init("--password-stdin", nil, "read the administrator's password from standard input"),
            .init("--quiet", nil, "say nothing when all is well"),
        ]
    ) { invocation in
        let directory = Files.absolute(invocation.value("--directory") ?? "/etc/martlet")
        var cloud = NewCloud(
            directory: directory,
            configPath: invocation.value("--config").map(Files.absolute) ?? directory + "/martlet.conf",
            environment: invocation.environment)
        try cloud.configure(try settings(invocation), hasTLS: invocation.has("--tls"))
        let password = try givenPassword(invocation)
        let isNew = try await cloud.populate(password: password)
        if !invocation.has("--quiet") { cloud.report(isNew: isNew) }
        return .success
    }

    private static let resetPassword = Subcommand(
        "admin reset-password", "Get back in: give the administrator a new password, its roles, and enable it",
        detail: """
            Works while the coordinator runs and while it does not. The user is made if it is gone; its tokens
            are revoked.
            openrc and clouds.yaml beside the configuration are written anew.
            """,
        options: [
            .init("--user", "NAME", "another user of the domain Default (default: admin)"), Invocation.passwordOption,
            .init("--generate", nil, "make a password up; it is written to openrc and clouds.yaml"),
        ]
    ) { invocation in
        let path = Files.absolute(invocation.configPath)
        let config = try invocation.config()
        let name = invocation.value("--user") ?? "admin"
        let isGenerated = invocation.has("--generate")
        let password = isGenerated ? GeneratedPassword.make(SystemEntropy()) : try invocation.requiredPassword(of: name)
        try await Console.open(config) { console in
            var options = BootstrapOptions(password: password)
            options.userName = name
            try await IdentityBootstrap.run(options, console.environment)
        }
        let directory = Files.directory(of: path)
        if isGenerated || Files.exists(directory + "/openrc") {
            try Credentials(config, user: name, password: password).write(to: directory)
            Terminal.say("Done. \(directory)/openrc and clouds.yaml have the new password of \(name).")
        } else {
            Terminal.say("Done. \(name) may sign in with the new password.")
        }
        return .success
    }

    private static func settings(_ invocation: Invocation) throws -> [(name: String, value: String)] {
        var settings: [(name: String, value: String)] = []
        for (option, key) in [("--listen", "listen"), ("--public-url", "public_url"), ("--database", "database")] {
            if let value = invocation.value(option) { settings.append((key, value)) }
        }
        for text in invocation.all("--set") {
            guard let equals = text.firstIndex(of: "=") else {
                throw UsageError("--set takes KEY=VALUE, not '\(text)'.")
            }
            settings.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
        }
        return settings
    }

    private static func givenPassword(_ invocation: Invocation) throws -> String? {
        if invocation.has("--password-stdin") { return try invocation.requiredPassword(of: "admin") }
        return invocation.environment["MARTLET_ADMIN_PASSWORD"].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// A cloud in the making.
private struct NewCloud {
    let directory: String
    let configPath: String
    let environment: [String: String]
    var config = Config()

    init(directory: String, configPath: String, environment: [String: String]) {
        self.directory = directory
        self.configPath = configPath
        self.environment = environment
    }

    mutating func configure(_ given: [(name: String, value: String)], hasTLS: Bool) throws {
        try Files.makeDirectory(directory, mode: 0o755)
        var settings = given
        if !Files.exists(configPath) {
            if directory != "/etc/martlet", !settings.contains(where: { $0.name == "data_directory" }) {
                settings.insert(("data_directory", "data"), at: 0)
            }
            try Files.write(configPath, Array(ConfigTemplate.text().utf8), mode: 0o640)
        }
        if hasTLS { settings += [("tls_certificate", "tls/certificate.pem"), ("tls_key", "tls/key.pem")] }
        var text = try Files.text(configPath)
        let before = text
        for (name, value) in settings {
            guard ConfigKey.named(name) != nil else {
                let nearest = Words.nearest(to: name, in: ConfigKey.all.map(\.name))
                throw UsageError("'\(name)' is not a key." + (nearest.map { " Did you mean '\($0)'?" } ?? ""))
            }
            text = try ConfigEdit.setting(name, to: value, in: text, path: configPath)
        }
        if text != before { try Files.write(configPath, Array(text.utf8), mode: 0o640) }
        config = try LoadedConfig.load(configPath, environment: environment).config
        if hasTLS { try makeCertificate() }
    }

    private func makeCertificate() throws {
        guard !Files.exists(config.tlsCertificate) else { return }
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, 255)
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var addresses = ["127.0.0.1", "::1"]
        let listen = config.listen.host
        if !addresses.contains(listen), listen != "0.0.0.0", listen != "::" { addresses.append(listen) }
        let subject = CertificateSubject(
            "Martlet", hostNames: ["localhost"] + (host.isEmpty || host == "localhost" ? [] : [host]),
            addresses: addresses,
            days: 825)
        let made = try CertificateAuthority.selfSigned(subject)
        try Files.makeDirectory(Files.directory(of: config.tlsCertificate), mode: 0o755)
        try Files.write(config.tlsKey, Array(made.key.utf8), mode: 0o600)
        try Files.write(config.tlsCertificate, Array(made.certificate.utf8), mode: 0o644)
    }

    /// True when the first administrator was made.
    func populate(password given: String?) async throws -> Bool {
        try Files.makeDirectory(config.dataDirectory, mode: 0o700)
        let database = try await CloudDatabase.open(config)
        do {
            let isNew = try await populate(database, given)
            await database.close()
            return isNew
        } catch {
            await database.close()
            throw error
        }
    }

    private func populate(_ database: Database, _ given: String?) async throws -> Bool {
        if !Files.exists(config.secretKeyPath) {
            let users = try await StatusStore.counts(database).first { $0.name == "users" }?.rows ?? 0
            guard users == 0 else {
                throw CloudError.badRequest(
                    "The database has \(users) users, but \(config.secretKeyPath) is missing. "
                        + "Bring the file back from the backup, or "
                        + "copy it from another coordinator of this cloud.")
            }
            _ = try SecretKeyFile.make(config.secretKeyPath)
        }
        let console = try Console(config, database: database)
        let isDone = try await IdentityBootstrap.isDone(console.environment)
        let known = Credentials.knownPassword(in: directory)
        if isDone && given == nil {
            // A changed address reaches the files that clients read.
            if let known { try Credentials(config, user: "admin", password: known).write(to: directory) }
            return false
        }
        let password = given ?? known ?? GeneratedPassword.make(SystemEntropy())
        try await IdentityBootstrap.run(BootstrapOptions(password: password), console.environment)
        try Credentials(config, user: "admin", password: password).write(to: directory)
        return !isDone
    }

    func report(isNew: Bool) {
        Terminal.say(isNew ? "Made a cloud in \(directory)." : "The cloud in \(directory) is as it should be.")
        Terminal.say("  Configuration  \(configPath)")
        Terminal.say("  Credentials    \(directory)/openrc, \(directory)/clouds.yaml")
        Terminal.say("  Secret key     \(config.secretKeyPath)   (keep a copy apart from the database's backup)")
        Terminal.say("Next: start it (systemctl start martlet-coordinator), then `martlet status`.")
    }
}

extension Credentials {
    init(_ config: Config, user: String, password: String) {
        // A self-signed certificate of init's own has to be trusted by name.
        let isOwn = config.tlsCertificate.hasSuffix("/tls/certificate.pem")
        self.init(
            url: config.baseURL, region: config.region, user: user, project: "admin", password: password,
            authority: isOwn ? config.tlsCertificate : "")
    }
}
