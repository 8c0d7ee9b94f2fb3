// SPDX-License-Identifier: Apache-2.0
// Where the log goes: standard error, or a file that can be opened anew under the same descriptor after logrotate
// moved it.

import Core
import Glibc

struct LogFile {
    let descriptor: Int32
    private let path: String?

    init(_ path: String?) throws {
        self.path = path
        guard let path else {
            descriptor = 2
            return
        }
        descriptor = Self.open(path)
        guard descriptor >= 0 else {
            throw CloudError.badRequest("The log file \(path) cannot be opened: \(String(cString: strerror(errno))).")
        }
    }

    private static func open(_ path: String) -> Int32 {
        Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    }

    func reopen(_ log: Log) {
        guard let path else { return }
        log.flush()
        let new = Self.open(path)
        guard new >= 0 else {
            return log.error(
                "the log file \(path) cannot be opened again, the old one stays: \(String(cString: strerror(errno)))")
        }
        // Whoever writes meanwhile writes to the one or the other, never to nothing.
        dup2(new, descriptor)
        close(new)
    }
}
