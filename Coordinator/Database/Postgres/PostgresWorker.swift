// SPDX-License-Identifier: Apache-2.0
// Serves closures on one connection, and decides what to do when one fails: run it again (the server asked for it, or
// the connection was lost before the commit), or tell the caller.

import Core
import Glibc
import Synchronization

final class PostgresWorker {
    /// With the back-off below, more than a second of contention; by then the caller is better told.
    private static let attempts = 14
    /// After so many, a closure takes turns with the others that fare as badly, so that one of them gets through.
    private static let freeAttempts = 3
    /// How long a caller waits for a server that is starting again.
    private static let reconnectSeconds = 5

    private let location: String
    private let types: ExplicitTypes
    private let contention: Contention
    private var connection: PostgresConnection?
    private var generator = SystemRandomNumberGenerator()

    init(_ location: String, _ types: ExplicitTypes, _ contention: Contention) {
        self.location = location
        self.types = types
        self.contention = contention
    }

    func serve(_ item: PostgresEngine.Item) {
        let reads = item.tally?.reads ?? 0, writes = item.tally?.writes ?? 0
        let lostAfter = min(item.deadline, Monotonic.after(seconds: Self.reconnectSeconds))
        var attempt = 0
        while true {
            guard Monotonic.now < item.deadline else {
                return item.finish(DatabaseError(.unavailable, "no connection became free in time"))
            }
            // Only the attempt that counts is counted.
            item.tally?.reads = reads
            item.tally?.writes = writes
            let verdict = attempt < Self.freeAttempts ? attemptOnce(item) : contention.alone { attemptOnce(item) }
            switch verdict {
            case .done: return
            case .failed(let error): return item.finish(error)
            case .again(let error):
                attempt += 1
                guard attempt < Self.attempts else { return item.finish(error) }
                pause(attempt)
            case .lost(let error):
                connection = nil
                guard Monotonic.now < lostAfter else { return item.finish(error) }
                Monotonic.sleep(milliseconds: Int.random(in: 20...100, using: &generator))
            }
        }
    }

    private enum Verdict { case done, failed(any Error), again(any Error), lost(any Error) }

    private func attemptOnce(_ item: PostgresEngine.Item) -> Verdict {
        let connection: PostgresConnection
        do {
            connection = try connected()
        } catch {
            return .lost(error)
        }
        do {
            try connection.lend(item.transaction, to: item.tally) { try item.run(connection) }
        } catch {
            // The closure may have dressed the engine's error in its own words: the connection knows the first one.
            let failure = connection.failure
            connection.rollback()
            if connection.isBroken { return failure?.kind == .unavailable ? .lost(error) : .failed(error) }
            if failure?.kind == .serialization { return .again(error) }
            return .failed(error)
        }
        return end(item, connection)
    }

    private func end(_ item: PostgresEngine.Item, _ connection: PostgresConnection) -> Verdict {
        if item.transaction.isRead {
            // The answer does not depend on how the transaction ends, so nobody waits for it.
            item.finish(nil)
            connection.rollback()
            if connection.isBroken { self.connection = nil }
            return .done
        }
        do {
            try connection.commit()
            item.finish(nil)
            return .done
        } catch {
            if connection.isBroken { self.connection = nil } else { connection.rollback() }
            if !connection.isBroken && error.kind == .serialization { return .again(error) }
            return .failed(error)
        }
    }

    private func connected() throws(DatabaseError) -> PostgresConnection {
        if let connection, !connection.isBroken { return connection }
        let fresh = try PostgresConnection(location, types)
        connection = fresh
        return fresh
    }

    /// Grows from a millisecond to some two hundred, with full jitter so that rivals part.
    private func pause(_ attempt: Int) {
        let most = min(1 << attempt, 256)
        Monotonic.sleep(milliseconds: Int.random(in: 0...most, using: &generator))
    }
}

/// Shared by the workers of one pool.
final class Contention: Sendable {
    private let turn = Mutex<Void>(())
    func alone<T>(_ body: () -> T) -> T { turn.withLock { _ in body() } }
}
