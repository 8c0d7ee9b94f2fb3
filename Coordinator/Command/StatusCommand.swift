// SPDX-License-Identifier: Apache-2.0
// `martlet status`: does a coordinator answer, and what does the cloud hold.

import Assembly
import Core
import Database
import Glibc

enum StatusCommand {
    static let all = [status]

    private static let status = Subcommand(
        "status", "Show whether the coordinator answers and what the cloud holds",
        detail: "Ends with exit code 0 when the coordinator is healthy, 1 otherwise.",
        options: [
            .init("--wait", "SECONDS", "wait until it is healthy, at most this long"),
            .init("--url", nil, "print only the URL"),
            .init("--quiet", nil, "print nothing"),
        ]
    ) { invocation in
        let config = try invocation.config()
        if invocation.has("--url") {
            Terminal.say(config.baseURL)
            return .success
        }
        let health = try await awaitHealth(config, invocation)
        if !invocation.has("--quiet") { try await report(config, health, asJSON: invocation.wantsJSON) }
        return health == .healthy ? .success : .failure
    }

    private static func awaitHealth(_ config: Config, _ invocation: Invocation) async throws -> Probe.Health {
        var seconds = 0
        if let text = invocation.value("--wait") {
            guard let number = Int(text), (0...3600).contains(number) else {
                throw UsageError("--wait takes a number of seconds from 0 to 3600, not '\(text)'.")
            }
            seconds = number
        }
        let deadline = SystemClock().now.adding(seconds: Int64(seconds))
        while true {
            let health = Probe.health(config, seconds: 3)
            if health == .healthy || SystemClock().now >= deadline { return health }
            usleep(20_000)
        }
    }

    private static func report(_ config: Config, _ health: Probe.Health, asJSON: Bool) async throws {
        let facts = try await DatabaseCommands.withDatabase(config) { database in
            (engine: database.isPostgres ? "PostgreSQL" : "SQLite", counts: try await StatusStore.counts(database))
        }
        let state =
            switch health {
            case .healthy: "healthy"
            case .unhealthy(let status): "unhealthy: \(status)"
            case .silent: "does not answer"
            }
        guard !asJSON else {
            return Terminal.json { w in
                w.object { w in
                    w.field("url", config.baseURL)
                    w.field("coordinator", state)
                    w.field("version", Version.text)
                    w.field("database", facts.engine)
                    w.object("counts") { w in
                        for count in facts.counts {
                            w.key(count.name)
                            w.int(Int(count.rows))
                        }
                    }
                }
            }
        }
        Terminal.say("URL          \(config.baseURL)")
        Terminal.say("Coordinator  \(state)")
        Terminal.say("Version      \(Version.text)")
        Terminal.say("Database     \(facts.engine)")
        Terminal.say("Holds        " + facts.counts.map { "\($0.rows) \($0.name)" }.joined(separator: ", "))
        if health != .healthy { Terminal.say("\n`martlet doctor` looks for the reason.") }
    }
}
