// SPDX-License-Identifier: Apache-2.0
// A directory as Identity uses it: search it, and check a password by signing in to it. Each directory has threads, a
// queue and connections of its own, so one that hangs fills only its own queue:
//
//     caller ── queue (bounded) ──► one of its threads ── own connection ──► server
//        └──── watch: ends the wait when the time is over, whatever the thread does
//
// A thread keeps one connection, bound as the account that searches. Users never sign in on that one: a connection is
// opened for the purpose and closed after it.

import EventLoop
import Synchronization

package final class LDAPDirectory: Sendable {
    package let settings: LDAPSettings
    private let queue: WorkQueue
    private let watch: LDAPWatch
    private let servers: LDAPServers
    /// Connections no thread is using; never more than there are threads.
    private let idle: LDAPIdleConnections

    package init(_ settings: LDAPSettings) throws(LDAPError) {
        try settings.check()
        self.settings = settings
        let queue = WorkQueue(bound: settings.waiting)
        let watch = LDAPWatch()
        self.queue = queue
        self.watch = watch
        servers = LDAPServers(settings)
        idle = LDAPIdleConnections(idleSeconds: settings.idleSeconds)
        startThread(name: "ldap-watch") { watch.run() }
        for number in 0..<settings.connections {
            startThread(name: "ldap-\(number)") { while let work = queue.next() { work() } }
        }
    }

    deinit { stop() }

    /// Ends the threads when their work is done; later callers are refused.
    package func stop() {
        queue.stop()
        watch.stop()
    }

    /// Callers waiting for a thread.
    package var waiting: Int { queue.count }

    // MARK: What it does

    /// The entries under `base` that the filter fits, at most `limit`. An entry that does not exist has none; a base
    /// of a wider search that does not exist is an error of the settings.
    package func search(
        _ base: String, _ filter: LDAPFilter, scope: LDAPScope = .subtree, attributes: [String] = [], limit: Int
    ) async throws(LDAPError) -> [LDAPEntry] {
        let text = filter.text
        // The library reads these as C strings, which a zero byte would cut short.
        if text.utf8.contains(0) { throw .badFilter(text) }
        if base.utf8.contains(0) { throw .noSuchBase(base) }
        let search = LDAPSearch(
            base: base, scope: scope, filter: text, attributes: attributes, answerSeconds: settings.networkSeconds)
        if limit <= 0 { return [] }
        return try await run { directory, isOver throws(LDAPError) in
            try directory.searchNow(search, limit: limit, isOver)
        }
    }

    /// Whether this name and password belong together. Never true without a password: a directory answers yes to a name
    /// alone.
    package func bind(_ name: String, _ password: String) async throws(LDAPError) -> Bool {
        if name.isEmpty || password.isEmpty || name.utf8.contains(0) { return false }
        return try await run { directory, _ throws(LDAPError) in
            try directory.servers.first { url throws(LDAPError) in
                try LDAPConnection(url, directory.settings, directory.watch).bind(name, password)
            }
        }
    }

    /// Connects and signs in as the account that searches: for checks before the directory is used.
    package func check() async throws(LDAPError) {
        try await run { directory, _ throws(LDAPError) in _ = try directory.connect() }
    }

    // MARK: On a thread

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable (LDAPDirectory, () -> Bool) throws(LDAPError) -> Value
    ) async throws(LDAPError) -> Value {
        let result: Result<Value, LDAPError> = await withUnsafeContinuation { continuation in
            let wait = LDAPWait(continuation)
            watch.add(
                seconds: settings.operationSeconds, isOver: { wait.isOver }, expire: { wait.end(.failure(.timeout)) })
            let isAdded = queue.add { [self] in
                if wait.isOver { return }
                wait.end(Result { () throws(LDAPError) in try work(self) { wait.isOver } })
            }
            if !isAdded { wait.end(.failure(.busy)) }
        }
        return try result.get()
    }

    private func searchNow(
        _ search: LDAPSearch, limit: Int, _ isOver: () -> Bool
    ) throws(LDAPError) -> [LDAPEntry] {
        if let connection = idle.take() {
            do throws(LDAPError) {
                return try pages(search, limit, connection, isOver)
            } catch {
                // The server may have closed it while nobody looked: one more try, on a new one.
                guard case .unreachable = error else { throw error }
            }
        }
        let connection = try connect()
        do throws(LDAPError) {
            return try pages(search, limit, connection, isOver)
        } catch {
            if LDAPServers.isServersFault(error) { servers.report(connection.url, error) }
            throw error
        }
    }

    private func pages(
        _ search: LDAPSearch, _ limit: Int, _ connection: LDAPConnection, _ isOver: () -> Bool
    ) throws(LDAPError) -> [LDAPEntry] {
        defer { if connection.isSound { idle.give(connection) } }
        var found: [LDAPEntry] = []
        var cookie: [UInt8] = []
        repeat {
            let wanted = limit - found.count
            found += try connection.page(search, settings.pageEntries, most: wanted, cookie: &cookie)
        } while !cookie.isEmpty && found.count < limit && !isOver()
        return found.count > limit ? Array(found.prefix(limit)) : found
    }

    private func connect() throws(LDAPError) -> LDAPConnection {
        try servers.first { url throws(LDAPError) in
            let connection = try LDAPConnection(url, settings, watch)
            guard let account = settings.account else {
                try connection.bindNobody()
                return connection
            }
            guard try connection.bind(account.name, account.password) else {
                throw .accountRefused("name or password is wrong for \(account.name)")
            }
            return connection
        }
    }
}

/// Connections between two uses. One that was idle too long is closed instead of used.
private final class LDAPIdleConnections: Sendable {
    private struct Idle: @unchecked Sendable {
        // Safe: whoever takes the connection out is the only one to have it.
        let connection: LDAPConnection
        let since: Int64
    }
    private let idleSeconds: Int64
    private let all = Mutex<[Idle]>([])

    init(idleSeconds: Int) { self.idleSeconds = Int64(idleSeconds) }

    func take() -> LDAPConnection? {
        let oldest = Stopwatch.seconds - idleSeconds
        // The stale ones are closed after the lock is free: closing says goodbye to the server.
        let (found, stale) = all.withLock { all in
            let found = all.popLast { $0.since >= oldest }
            let stale = all.filter { $0.since < oldest }
            all.removeAll { $0.since < oldest }
            return (found, stale)
        }
        _ = stale
        return found?.connection
    }

    func give(_ connection: LDAPConnection) {
        let entry = Idle(connection: connection, since: Stopwatch.seconds)
        all.withLock { $0.append(entry) }
    }
}

extension Array {
    /// Takes out the last element, if it is one of these.
    fileprivate mutating func popLast(_ isWanted: (Element) -> Bool) -> Element? {
        guard let last, isWanted(last) else { return nil }
        removeLast()
        return last
    }
}
