// SPDX-License-Identifier: Apache-2.0
// Puts the coordinator together, lowest part first, and takes it apart in the opposite order. The only place that knows
// every module.

import Assembly
import Core
import Database
import Glibc

final class Coordinator: Sendable {
    private let database: Database
    private let lock: DataLock?
    private let log: Log

    init(_ config: Config, log: Log) async throws {
        self.log = log
        Self.raiseFileLimit()
        // SQLite has one coordinator; a second one would not hear of the first one's changes.
        lock = config.sqlitePath == nil ? nil : try DataLock(config)
        database = try await CloudDatabase.open(config)
    }

    func start() {}

    func reload() {}

    func end() async {
        await database.close()
        lock?.release()
    }

    /// Connections are files; the kernel's first limit is low and meant to be raised by who needs more.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
