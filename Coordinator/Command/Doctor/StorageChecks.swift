// SPDX-License-Identifier: Apache-2.0
// The data directory, the disk under it, the secret key, and the modes of files that hold secrets.

import Assembly
import Core
import Glibc

enum StorageChecks {
    static func all(_ config: Config, configPath: String) -> [Finding] {
        [directory(config), disk(config), secretKey(config)] + modes(config, configPath)
    }

    private static func directory(_ config: Config) -> Finding {
        let path = config.dataDirectory
        guard Files.isDirectory(path) else {
            return .error(
                "data directory", "\(path) does not exist", cure: "Run `martlet init`, or mount the disk it lives on.")
        }
        guard access(path, R_OK | W_OK | X_OK) == 0 else {
            return .error("data directory", "\(path) cannot be written by this user", cure: "chown -R martlet: \(path)")
        }
        return .fine("data directory", path)
    }

    private static func disk(_ config: Config) -> Finding {
        var facts = statvfs()
        guard statvfs(config.dataDirectory, &facts) == 0 else { return .note("disk", "the free space cannot be read") }
        let free = (Int(facts.f_bavail) * Int(facts.f_frsize)) >> 20
        let text = "\(free) MiB free under \(config.dataDirectory)"
        let cure = "Free some space or move data_directory; without space, changes are refused with 507."
        if free < 100 { return .error("disk", text, cure: cure) }
        if free < 1024 || facts.f_favail < 1000 && facts.f_files > 0 { return .warning("disk", text, cure: cure) }
        return .fine("disk", text)
    }

    private static func secretKey(_ config: Config) -> Finding {
        do throws(CloudError) {
            let count = try SecretKeyFile.read(config.secretKeyPath).count
            return .fine("secret key", "\(config.secretKeyPath), \(count == 1 ? "one key" : "\(count) keys")")
        } catch {
            return .error(
                "secret key", error.message, cure: "Keep a copy of this file apart from the database's backup.")
        }
    }

    /// Files with passwords or keys that everybody on the machine may read.
    private static func modes(_ config: Config, _ configPath: String) -> [Finding] {
        let directory = Files.directory(of: configPath)
        var files = [config.tlsKey, directory + "/openrc", directory + "/clouds.yaml", config.sqlitePath ?? ""]
        if case .postgres = config.storage { files.append(configPath) }
        let open = files.filter { !$0.isEmpty && (Files.mode(of: $0) ?? 0) & 0o007 != 0 }
        guard !open.isEmpty else { return [.fine("file modes", "nothing secret is open to everybody")] }
        return open.map { .error("file modes", "everybody on this machine may read \($0)", cure: "chmod o= \($0)") }
    }
}
