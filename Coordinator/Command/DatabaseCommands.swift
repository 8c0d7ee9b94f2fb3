// SPDX-License-Identifier: Apache-2.0
// Care of the database: copy it, bring a copy back, look for damage, bring its schema up to date.

import Assembly
import Core
import Database
import Glibc

enum DatabaseCommands {
    static let all = [backup, restore, check, migrate]

    private static let keyNote = "Keep a copy of the secret key too, in another place: "

    private static let backup = Subcommand(
        "db backup", "Write a consistent copy of the database while the cloud runs",
        detail: "For an SQLite cloud. For PostgreSQL the message names the command to use.",
        arguments: [.init("FILE", "where to; it must not exist")]
    ) { invocation in
        let config = try invocation.config()
        let path = invocation.argument("FILE")
        guard !Files.exists(path) else { throw CloudError.conflict("\(path) exists; name another file or remove it.") }
        try await withDatabase(config) { try await $0.backup(to: Files.absolute(path)) }
        chmod(path, 0o600)
        Terminal.say("Written to \(path). \(keyNote)\(config.secretKeyPath)")
        return .success
    }

    private static let restore = Subcommand(
        "db restore", "Bring a backup back in place of the database; the coordinator must be stopped",
        detail: "The backup is checked first. The database it replaces is kept beside it, with the time in its name.",
        arguments: [.init("FILE", "what `martlet db backup` wrote")]
    ) { invocation in
        let config = try invocation.config()
        let kept = try await Restore(config: config, backup: invocation.argument("FILE")).run()
        Terminal.say(
            "Restored. " + (kept.map { "What was there before is now \($0)." } ?? "There was no database before."))
        return .success
    }

    private static let check = Subcommand("db check", "Look for damage in the database") { invocation in
        let damage = try await withDatabase(try invocation.config()) { try await $0.check() }
        if invocation.wantsJSON {
            Terminal.json { w in w.array { w in for line in damage { w.string(line) } } }
        } else {
            Terminal.say(damage.isEmpty ? "The database is whole." : damage.joined(separator: "\n"))
        }
        return damage.isEmpty ? .success : .failure
    }

    private static let migrate = Subcommand(
        "db migrate", "Bring the database's schema up to this version's",
        detail: "The coordinator does this by itself when it starts."
    ) { invocation in
        let steps = try await withDatabase(try invocation.config()) { try await StatusStore.migrations($0) }
        var table = Table("step", "applied")
        for step in steps { table.add(step.name, step.applied.shortText) }
        table.print(asJSON: invocation.wantsJSON)
        return .success
    }

    /// Opens the database of a cloud that exists, and closes it again.
    static func withDatabase<T: Sendable>(_ config: Config, _ body: (Database) async throws -> T) async throws -> T {
        if let path = config.sqlitePath, !Files.exists(path) {
            throw CloudError.badRequest("There is no database at \(path). Run `martlet init` to make a cloud.")
        }
        let database = try await CloudDatabase.open(config)
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }
}

/// Puts a checked copy of a backup in the database's place.
private struct Restore {
    let config: Config
    let backup: String

    /// Where the database that was there is kept.
    func run() async throws -> String? {
        guard let path = config.sqlitePath else {
            throw CloudError(
                .unsupported,
                "This cloud keeps its records in PostgreSQL. Restore it with: "
                    + "pg_restore --clean --dbname=DATABASE \(backup)"
            )
        }
        let lock = try DataLock(config)
        defer { lock.release() }
        let copy = path + ".restoring"
        try copyFile(backup, copy)
        do {
            try await examine(copy)
        } catch {
            for suffix in ["", "-wal", "-shm"] { Files.remove(copy + suffix) }
            throw error
        }
        let kept = Files.exists(path) ? "\(path).replaced-\(SystemClock().now.seconds)" : nil
        if let kept {
            for suffix in ["", "-wal", "-shm"] { rename(path + suffix, kept + suffix) }
        }
        guard rename(copy, path) == 0 else {
            throw CloudError.badRequest("\(copy) cannot be moved to \(path): \(String(cString: strerror(errno))).")
        }
        return kept
    }

    /// Opening brings an older backup's schema up to date, and refuses a newer one's.
    private func examine(_ copy: String) async throws {
        let database = try await Database.open("sqlite:" + copy, migrations: CloudModules.migrations)
        let damage = try await database.check()
        await database.close()
        guard damage.isEmpty else {
            throw CloudError.badRequest(
                "\(backup) is damaged: \(damage.prefix(3).joined(separator: "; ")). Nothing was changed.")
        }
    }

    private func copyFile(_ source: String, _ target: String) throws {
        let from = open(source, O_RDONLY | O_CLOEXEC)
        guard from >= 0 else {
            throw CloudError.badRequest("\(source) cannot be read: \(String(cString: strerror(errno))).")
        }
        defer { close(from) }
        let to = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard to >= 0 else {
            throw CloudError.badRequest("\(target) cannot be written: \(String(cString: strerror(errno))).")
        }
        defer { close(to) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(from, &buffer, buffer.count)
            if count == 0 { break }
            guard count > 0, write(to, buffer, count) == count else {
                throw CloudError.badRequest("\(source) cannot be copied: \(String(cString: strerror(errno))).")
            }
        }
        guard fsync(to) == 0 else {
            throw CloudError.badRequest("\(target) cannot be written: \(String(cString: strerror(errno))).")
        }
    }
}
