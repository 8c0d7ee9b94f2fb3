// SPDX-License-Identifier: Apache-2.0
// One program at a time may own the data directory of an SQLite cloud: the running coordinator, or a restore. The
// kernel lets go of the lock when the process ends, however it ends.

import Core
import Glibc

package struct DataLock: Sendable {
    private let descriptor: Int32

    /// Throws when another process holds it, and says which.
    package init(_ config: Config) throws(CloudError) {
        let path = config.dataDirectory + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .badRequest(
                "\(path) cannot be opened: \(String(cString: strerror(errno))). `martlet doctor` tells more.")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let owner = ((try? Files.text(path)) ?? "").split(separator: "\n").first ?? ""
            let name = owner.isEmpty ? "another process" : "process \(owner)"
            close(descriptor)
            throw .conflict(
                "\(config.dataDirectory) is in use by \(name); stop it first."
            )
        }
        let text = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        pwrite(descriptor, text, text.count, 0)
    }

    package func release() { close(descriptor) }
}
