// SPDX-License-Identifier: Apache-2.0
// What an operator may set. One value, read once at the start and handed down; its defaults are the properties' own.
// The table of keys (ConfigKeys.swift) is the one place that knows names, documentation and forms: the file written by
// `martlet init`, the reader, `martlet config`, the man page's list and shell completion all come from it.

package struct Config: Sendable {
    package struct Address: Sendable, Equatable {
        package var host: String
        package var port: UInt16
        package init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }
        /// "127.0.0.1:5000", "[::1]:5000"
        package var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    package enum Storage: Sendable, Equatable {
        /// A file; empty: martlet.db in the data directory.
        case sqlite(path: String)
        case postgres(url: String)
    }

    package enum PasswordHash: Sendable, Equatable {
        case argon2id(memoryMiB: Int, passes: Int)
        case bcrypt(cost: Int)
    }

    package enum LimitModel: String, Sendable, CaseIterable {
        case flat
        case strictTwoLevel = "strict_two_level"
    }

    package var listen = Address(host: "127.0.0.1", port: 5000)
    /// Empty: made from `listen`.
    package var publicURL = ""
    package var region = "RegionOne"
    package var dataDirectory = "/var/lib/martlet"
    package var storage = Storage.sqlite(path: "")
    package var tlsCertificate = ""
    package var tlsKey = ""
    package var logLevel = LogLevel.info
    /// Empty: none is written.
    package var auditLog = ""
    package var policyFile = ""
    package var enforceScope = true
    package var corsOrigins: [String] = []
    package var trustedProxies: [String] = []
    package var tokenLifetimeSeconds = 3600
    package var passwordHash = PasswordHash.argon2id(memoryMiB: 19, passes: 2)
    package var lockoutAttempts = 0
    package var lockoutSeconds = 1800
    package var passwordHistory = 0
    package var passwordExpiresDays = 0
    package var passwordMinimumAgeDays = 0
    package var passwordRegex: Pattern?
    package var passwordRegexHint = ""
    package var inactiveDays = 0
    package var changePasswordOnFirstUse = false
    package var projectDepth = 5
    package var limitModel = LimitModel.flat

    package init() {}

    package var isSecure: Bool { !tlsCertificate.isEmpty }

    /// The URL that the catalog and version documents show, without a slash at the end.
    package var baseURL: String {
        if !publicURL.isEmpty { return publicURL }
        let host = ["0.0.0.0", "::", ""].contains(listen.host) ? "127.0.0.1" : listen.host
        return (isSecure ? "https://" : "http://") + Address(host: host, port: listen.port).text
    }

    /// The key that seals what the database holds in secret; as precious as the database, and never inside it.
    package var secretKeyPath: String { dataDirectory + "/secret.key" }

    package var sqlitePath: String? {
        guard case .sqlite(let path) = storage else { return nil }
        return path.isEmpty ? dataDirectory + "/martlet.db" : path
    }
}
