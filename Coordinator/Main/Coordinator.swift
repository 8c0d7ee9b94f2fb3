// SPDX-License-Identifier: Apache-2.0
// Puts the coordinator together, lowest part first, and takes it apart in the opposite order. The only place that knows
// every module.
//
//     lock -> database -> event feed -> identity -> policy -> dispatcher -> server        and the loops beside them

import Assembly
import CSystem
import Core
import Database
import Events
import Glibc
import HTTP
import Identity
import Jobs

final class Coordinator: Sendable {
    private let database: Database
    private let lock: DataLock?
    private let server: HTTPServer
    private let loops: LoopRunner
    private let log: Log

    init(_ config: Config, log: Log) async throws {
        self.log = log
        Self.raiseFileLimit()
        // SQLite has one coordinator; a second one would not hear of the first one's changes.
        lock = config.sqlitePath == nil ? nil : try DataLock(config)
        let metrics = Metrics()
        let database = try await CloudDatabase.open(config, metrics: metrics)
        self.database = database
        let recorder = EventRecorder()
        let identity = IdentityModule(
            environment: try CloudIdentity.environment(
                config, database: database, recorder: recorder, log: log))
        guard try await IdentityBootstrap.isDone(identity.environment) else {
            throw CloudError.badRequest("This database has no cloud in it. Run `martlet init` to make one.")
        }
        let feed = EventFeed(database: database, recorder: recorder, log: log) { touches in
            Task { await Self.apply(touches, identity, log) }
        }
        try await feed.start()
        try await identity.start()
        let health = Health(checks: [Self.databaseCheck(database)])
        let dispatcher = try Dispatcher(
            services: [identity], policy: try CloudModules.policy(config), authenticator: identity.authenticator,
            health: health, log: log, metrics: metrics, options: Self.dispatching(config))
        server = try HTTPServer(Self.serving(config), dispatcher: dispatcher, log: log, metrics: metrics)
        loops = LoopRunner()
        await addLoops(config, identity, feed, metrics)
    }

    func start() async {
        await loops.start()
        server.start()
    }

    func reload() { server.reloadCertificate() }

    /// Requests under way end first, then what runs beside them, then the database.
    func end() async {
        await server.drain()
        if await !loops.stop() { log.warning("some loops did not end in time") }
        await database.close()
        lock?.release()
    }

    // MARK: Parts

    private func addLoops(_ config: Config, _ identity: IdentityModule, _ feed: EventFeed, _ metrics: Metrics) async {
        await loops.add("events") { await feed.run() }
        await loops.add(
            RepeatingLoop("identity", everySeconds: 600, log: log, metrics: metrics) {
                try await identity.maintain()
            })
        let retention = EventRetention(database: database)
        await loops.add(
            RepeatingLoop("event-retention", everySeconds: 3600, log: log, metrics: metrics) {
                try await retention.round()
            })
        guard !config.auditLog.isEmpty else { return }
        let audit = AuditSink(path: config.auditLog, feed: feed, log: log, name: "audit-" + Self.hostName)
        await loops.add("audit") { await audit.run() }
    }

    private static func apply(_ touches: [String], _ identity: IdentityModule, _ log: Log) async {
        do {
            try await identity.environment.applyForeign(touches: touches)
        } catch {
            log.error("a change made elsewhere could not be taken over: \(error)")
        }
    }

    private static func databaseCheck(_ database: Database) -> Health.Check {
        {
            do {
                _ = try await database.read("health") { try $0.rows("SELECT 1") }
                return nil
            } catch {
                return "The database does not answer."
            }
        }
    }

    private static func dispatching(_ config: Config) -> Dispatcher.Options {
        var options = Dispatcher.Options()
        options.publicURL = config.baseURL
        options.allowedOrigins = config.corsOrigins
        options.around = { handle in
            let tally = StatementTally()
            await StatementTally.$current.withValue(tally) { await handle() }
            return tally.count
        }
        return options
    }

    private static func serving(_ config: Config) -> HTTPServer.Options {
        var options = HTTPServer.Options()
        options.address = config.listen.host
        options.port = config.listen.port
        options.loops = max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1)
        options.trustedProxies = config.trustedProxies
        if config.isSecure { options.tls = TLSFiles(certificate: config.tlsCertificate, key: config.tlsKey) }
        return options
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, 255)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Connections are files; the kernel's first limit is low and meant to be raised by who needs more.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
