// SPDX-License-Identifier: Apache-2.0
// The one thread that writes. Closures that wait while a commit runs share the next one (group commit): each in a
// savepoint of its own, so one that fails takes back only what it did itself. Callers hear of success after the
// shared commit is on disk. When the engine throws a whole group away because of one member, each member is run again
// alone, so that the guilty one alone fails.

import CSQLite
import Core
import Glibc

final class SQLiteWriter: Sendable {
    struct Item: Sendable {
        let tally: StatementTally?
        let run: @Sendable (SQLiteConnection) throws -> Void
        /// Tells the caller; nil is success.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private let queue: WorkQueue<Item>

    init(_ connection: SQLiteConnection) {
        queue = WorkQueue(name: "sqlite-writer", items: Limits.queuedWrites, threads: 1, batch: Limits.groupCommit) {
            { batch in Self.serve(batch, connection) }
        }
    }

    /// False when too many writes are waiting.
    func push(_ item: Item) -> Bool { queue.push(item) }
    func stop() { queue.stop() }
    var waiting: Int { queue.waiting }

    private static func serve(_ batch: [Item], _ connection: SQLiteConnection) {
        if batch.count > 1, let errors = together(batch, connection) {
            for (item, error) in zip(batch, errors) { item.finish(error) }
        } else {
            for item in batch { item.finish(alone(item, connection)) }
        }
    }

    private static func alone(_ item: Item, _ connection: SQLiteConnection) -> (any Error)? {
        do {
            try connection.control("BEGIN IMMEDIATE")
            try connection.lend(to: item.tally) { try item.run(connection) }
            try connection.control("COMMIT")
            return nil
        } catch {
            connection.rollback()
            return error
        }
    }

    /// One error or nil for each item, or nil when the group must be run one by one.
    private static func together(_ items: [Item], _ connection: SQLiteConnection) -> [(any Error)?]? {
        do {
            try connection.control("BEGIN IMMEDIATE")
        } catch {
            return items.map { _ in error }
        }
        var errors: [(any Error)?] = []
        for item in items {
            do {
                try savepoint(item, connection)
                errors.append(nil)
            } catch {
                // Numbered by what the engine did: 1. it threw everything away; 2. the savepoint cannot be taken back.
                guard connection.isInTransaction, takeBack(connection) else {
                    connection.rollback()
                    return nil
                }
                errors.append(error)
            }
        }
        do {
            try connection.control("COMMIT")
            return errors
        } catch {
            connection.rollback()
            // A constraint checked at the end is one member's fault; a full disk is everybody's.
            return error.kind == .foreignKey ? nil : errors.map { $0 ?? error }
        }
    }

    private static func savepoint(_ item: Item, _ connection: SQLiteConnection) throws {
        let reads = item.tally?.reads ?? 0, writes = item.tally?.writes ?? 0
        try connection.control("SAVEPOINT member")
        do {
            try connection.lend(to: item.tally) { try item.run(connection) }
        } catch  where !connection.isInTransaction {
            // It will run again, alone: what it ran so far is not counted twice.
            item.tally?.reads = reads
            item.tally?.writes = writes
            throw error
        }
        try connection.control("RELEASE member")
    }

    private static func takeBack(_ connection: SQLiteConnection) -> Bool {
        do {
            try connection.control("ROLLBACK TO member")
            try connection.control("RELEASE member")
            return true
        } catch {
            return false
        }
    }
}
