// SPDX-License-Identifier: Apache-2.0
// Each connection is a descriptor: more of them than the process may have would starve the database and the log.

import Glibc

enum DescriptorLimit {
    /// Descriptors that are not connections: the database, logs, files being sent.
    private static let others = 256

    /// How many of `wanted` connections the process's limit leaves room for.
    static func room(for wanted: Int) -> Int {
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(kind, &limit) == 0 else { return wanted }
        let most = Int(clamping: limit.rlim_cur)
        return min(wanted, max(most - others, 16))
    }
}
