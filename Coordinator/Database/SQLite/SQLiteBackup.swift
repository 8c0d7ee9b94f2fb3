// SPDX-License-Identifier: Apache-2.0
// A consistent copy of a running database, and the search for damage. The copy holds one snapshot for as long as it
// takes, so writers go on undisturbed; it appears under its name only when it is whole and on disk.

import CSQLite
import Glibc

extension SQLiteEngine {
    private static let pagesPerStep: Int32 = 512

    /// Blocks; called on a thread of its own.
    func backup(to path: String) throws {
        let partial = path + ".partial"
        unlink(partial)
        defer { unlink(partial) }
        try copy(to: partial)
        try Self.synchronize(partial)
        guard rename(partial, path) == 0 else {
            throw DatabaseError(.unavailable, "cannot rename \(partial): \(String(cString: strerror(errno)))")
        }
        try Self.synchronize(Self.folder(of: path))
    }

    private func copy(to path: String) throws {
        let source = try SQLiteConnection(path: self.path, role: .reader)
        let target = try SQLiteConnection(backup: path)
        // Held to the end: every step copies from the same snapshot.
        try source.control("BEGIN")
        defer { source.rollback() }
        _ = try source.rows("SELECT COUNT(*) FROM migration")
        guard let backup = sqlite3_backup_init(target.handle, "main", source.handle, "main") else {
            throw target.lastError
        }
        var code: Int32
        repeat {
            code = sqlite3_backup_step(backup, Self.pagesPerStep)
            if code == SQLITE_BUSY || code == SQLITE_LOCKED { Monotonic.sleep(milliseconds: 10) }
        } while code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED
        sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE else { throw target.lastError }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func synchronize(_ path: String) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw DatabaseError(.unavailable, "cannot open \(path)") }
        defer { Glibc.close(file) }
        guard fsync(file) == 0 else {
            throw DatabaseError(
                errno == ENOSPC ? .full : .unavailable, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    static func check(_ connection: any Connection) throws -> [String] {
        let damage = try connection.rows("PRAGMA integrity_check").map { $0.text(0) }.filter { $0 != "ok" }
        let orphans = try connection.rows("PRAGMA foreign_key_check").map { row in
            "\(row.text(0)): row \(row.int(1)) refers to a row of \(row.text(2)) that is not there"
        }
        return damage + orphans
    }
}
