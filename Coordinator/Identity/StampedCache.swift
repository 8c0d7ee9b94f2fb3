// SPDX-License-Identifier: Apache-2.0
// One value, remembered for as long as nothing it was made from has changed. The stamps are read before the value is
// made, so a change that happens meanwhile makes the value old at once, never stale for ever.

import Core
import Synchronization

package final class StampedCache<Value: Sendable>: Sendable {
    private struct Entry: Sendable {
        let snapshot: Stamps.Snapshot
        let value: Value
    }
    private let entry = Mutex<Entry?>(nil)

    package init() {}

    /// The value, made anew when `everything` or one of `keys` was touched since it was made.
    package func value(
        _ stamps: Stamps, keys: [CacheKey] = [], make: () async throws -> Value
    ) async throws -> Value {
        if let entry = entry.withLock({ $0 }), stamps.isCurrent(entry.snapshot) { return entry.value }
        let snapshot = stamps.snapshot(keys)
        let value = try await make()
        entry.withLock { $0 = Entry(snapshot: snapshot, value: value) }
        return value
    }
}
