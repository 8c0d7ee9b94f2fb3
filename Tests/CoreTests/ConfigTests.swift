// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

struct ConfigTests {
    func read(_ text: String) throws -> Config {
        var loaded = LoadedConfig()
        try loaded.read(text, path: "martlet.conf")
        return loaded.config
    }

    func refusal(_ text: String) -> String {
        do {
            _ = try read(text)
            return "accepted"
        } catch {
            return (error as? CloudError)?.message ?? "\(error)"
        }
    }

    @Test func `there are fewer than thirty keys and each is documented`() {
        #expect(ConfigKey.all.count < 30)
        #expect(Set(ConfigKey.all.map(\.name)).count == ConfigKey.all.count)
        for key in ConfigKey.all {
            #expect(key.documentation.count > 20, "\(key.name)")
            #expect(!key.expectation.isEmpty, "\(key.name)")
        }
    }

    @Test func `what the template writes reads back as the defaults`() throws {
        let template = ConfigTemplate.text()
        let all = template.split(separator: "\n").map { line in
            ConfigKey.all.contains { line.hasPrefix("#\($0.name) =") } ? String(line.dropFirst()) : String(line)
        }.joined(separator: "\n")
        var loaded = LoadedConfig()
        try loaded.read(all, path: "martlet.conf")
        for key in ConfigKey.all {
            #expect(key.text(loaded.config) == key.defaultText, "\(key.name)")
            #expect(loaded.origin(of: key) != .standard, "\(key.name)")
        }
    }

    @Test func `values are typed`() throws {
        let config = try read(
            """
            # a comment
            listen = [::]:8080
            database=postgresql://martlet@db/martlet
              token_lifetime_seconds =  600
            password_hash = bcrypt:10
            cors_origins = https://a.example.com, https://b.example.com
            password_regex = ^(?=.*\\d).{7,}$
            limit_model = strict_two_level
            enforce_scope = no
            public_url = https://cloud.example.com/
            """)
        #expect(config.listen == Config.Address(host: "::", port: 8080))
        #expect(config.storage == .postgres(url: "postgresql://martlet@db/martlet"))
        #expect(config.tokenLifetimeSeconds == 600)
        #expect(config.passwordHash == .bcrypt(cost: 10))
        #expect(config.corsOrigins == ["https://a.example.com", "https://b.example.com"])
        #expect(config.passwordRegex?.text == "^(?=.*\\d).{7,}$")
        #expect(config.limitModel == .strictTwoLevel)
        #expect(!config.enforceScope)
        #expect(config.baseURL == "https://cloud.example.com")
    }

    @Test func `an unknown key names its place and the nearest key`() {
        #expect(refusal("\nregoin = x") == "martlet.conf:2: 'regoin' is not a key; did you mean 'region'?")
        #expect(refusal("zzzzzzzzzz = x").contains("is not a key. `martlet config` lists them."))
    }

    @Test func `a value out of range names the key and what it must be`() {
        #expect(
            refusal("token_lifetime_seconds = 5")
                == "martlet.conf:1: token_lifetime_seconds is '5': it must be a whole number from 60 to 2592000.")
        #expect(refusal("lockout_attempts = -1").contains("or 0 for no lock-out"))
        #expect(refusal("enforce_scope = maybe").contains("true or false"))
        #expect(refusal("listen = 5000").contains("an address and a port"))
        #expect(refusal("listen = ::1:5000").contains("an address and a port"))
        #expect(refusal("listen = 127.0.0.1:70000").contains("an address and a port"))
        #expect(refusal("password_hash = bcrypt:40").contains("bcrypt:cost"))
        #expect(refusal("password_regex = (a").contains("a ')' is missing"))
        #expect(refusal("public_url = cloud.example.com").contains("a URL"))
        #expect(refusal("trusted_proxies = 10.0.0.0/40").contains("10.0.0.0/40"))
        #expect(refusal("database = mysql://x").contains("postgresql://"))
    }

    @Test func `a key set twice and a line that is none are refused`() {
        #expect(refusal("region = a\nregion = b").contains("martlet.conf:2: region is set twice, first in line 1"))
        #expect(refusal("region").contains("a line is 'key = value'"))
    }

    @Test func `the environment wins and its origin is told`() throws {
        let loaded = try LoadedConfig.load(nil, environment: ["MARTLET_REGION": "North", "HOME": "/"])
        #expect(loaded.config.region == "North")
        #expect(ConfigKey.named("region").map(loaded.origin) == .environment)
    }

    @Test func `a mistyped environment variable is refused, one of another purpose is not`() {
        #expect(throws: CloudError.self) { try LoadedConfig.load(nil, environment: ["MARTLET_REGOIN": "x"]) }
        #expect(throws: Never.self) { try LoadedConfig.load(nil, environment: ["MARTLET_TEST_POSTGRES": "x"]) }
    }

    @Test func `keys that need each other are checked together`() {
        #expect(throws: CloudError.self) { try LoadedConfig.load(nil, environment: ["MARTLET_TLS_KEY": "/k"]) }
        #expect(throws: CloudError.self) {
            try LoadedConfig.load(
                nil, environment: ["MARTLET_PASSWORD_EXPIRES_DAYS": "2", "MARTLET_PASSWORD_MINIMUM_AGE_DAYS": "2"])
        }
    }

    @Test func `a missing file is an error that names it`() {
        #expect(throws: CloudError.self) { try LoadedConfig.load("/nonexistent/martlet.conf", environment: [:]) }
    }
}
