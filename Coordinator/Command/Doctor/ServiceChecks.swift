// SPDX-License-Identifier: Apache-2.0
// The address to serve on, the certificate, and the database.

import Assembly
import Core
import Crypto
import Database
import Glibc

enum ServiceChecks {
    static func all(_ config: Config) async -> [Finding] {
        [address(config), publicURL(config), certificate(config)] + (await database(config)) + [policy(config)]
    }

    /// Either a coordinator answers there, or the address is free.
    private static func address(_ config: Config) -> Finding {
        let text = config.listen.text
        switch Probe.health(config, seconds: 3) {
        case .healthy: return .fine("address", "a coordinator answers at \(text)")
        case .unhealthy(let status):
            return .error("address", "what answers at \(text) says \(status)", cure: "See the coordinator's log.")
        case .silent: break
        }
        let number = Probe.bindError(config.listen)
        switch number {
        case 0:
            return .note(
                "address", "\(text) is free; no coordinator runs", cure: "Start it: systemctl start martlet-coordinator"
            )
        case EADDRINUSE:
            return .error(
                "address", "another program has \(text)",
                cure: "Stop it (ss -ltnp shows it), or set 'listen' to another port.")
        case EACCES:
            return .error(
                "address", "this user may not serve on port \(config.listen.port)", cure: "Use a port above 1023.")
        default:
            return .error(
                "address", "\(text) cannot be served: \(String(cString: strerror(number)))",
                cure:
                    "Set 'listen' to an address this machine has (ip address shows them)."
            )
        }
    }

    private static func publicURL(_ config: Config) -> Finding {
        let isOpen = !["127.0.0.1", "::1", "localhost"].contains(config.listen.host)
        if isOpen && config.publicURL.isEmpty {
            return .warning(
                "public URL", "the catalog shows \(config.baseURL), which other machines may not reach",
                cure: "Set public_url to the URL that clients use.")
        }
        if isOpen && !config.isSecure && !config.publicURL.hasPrefix("https://") {
            return .warning(
                "public URL", "passwords and tokens travel in the clear to \(config.baseURL)",
                cure: "Set tls_certificate and tls_key, or put a proxy with TLS in front.")
        }
        return .fine("public URL", config.baseURL)
    }

    private static func certificate(_ config: Config) -> Finding {
        guard config.isSecure else { return .fine("certificate", "none is set: plain HTTP") }
        do {
            let facts = try CertificateFacts(certificatePath: config.tlsCertificate, keyPath: config.tlsKey)
            let days = (facts.expires.seconds - SystemClock().now.seconds) / 86_400
            let text = "\(config.tlsCertificate), good until \(facts.expires.shortText)"
            let cure = "Renew it, then reload: systemctl reload martlet-coordinator"
            if days < 0 {
                return .error(
                    "certificate", "\(config.tlsCertificate) expired on \(facts.expires.shortText)", cure: cure)
            }
            return days < 21 ? .warning("certificate", text, cure: cure) : .fine("certificate", text)
        } catch {
            return .error(
                "certificate", (error as? CloudError)?.message ?? "\(error)",
                cure: "Put a PEM certificate chain and its private key at the two paths.")
        }
    }

    private static func database(_ config: Config) async -> [Finding] {
        if let path = config.sqlitePath, !Files.exists(path) {
            return [.error("database", "\(path) does not exist", cure: "Run `martlet init`.")]
        }
        do {
            let database = try await CloudDatabase.open(config)
            defer { Task { await database.close() } }
            let damage = try await database.check()
            guard damage.isEmpty else {
                return damage.prefix(10).map {
                    .error(
                        "database", $0,
                        cure: "Stop the coordinator and bring the last backup back: martlet db restore FILE")
                }
            }
            return [
                .fine("database", database.isPostgres ? "PostgreSQL answers" : "\(config.sqlitePath ?? "") is whole")
            ]
        } catch {
            let text = (error as? CloudError).map { $0.detail ?? $0.message } ?? "\(error)"
            return [.error("database", text, cure: "Check the key 'database' and that its server runs.")]
        }
    }

    private static func policy(_ config: Config) -> Finding {
        do {
            let table = try CloudModules.policy(config)
            return .fine(
                "policy",
                "\(table.names.count) rules" + (config.policyFile.isEmpty ? "" : ", overridden by \(config.policyFile)")
            )
        } catch {
            return .error(
                "policy", (error as? CloudError)?.message ?? "\(error)", cure: "Mend the file that policy_file names.")
        }
    }
}
