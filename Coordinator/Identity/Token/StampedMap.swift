// SPDX-License-Identifier: Apache-2.0
// Values by key, each kept while the stamps it stands on stand still. Bounded: when it is full it begins anew, which
// costs a few reads and needs no bookkeeping on the way. Absent things are never kept.

import Core
import Synchronization

final class StampedMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry: Sendable {
        let value: Value
        let snapshot: Stamps.Snapshot
    }
    private let entries = Mutex<[Key: Entry]>([:])
    private let capacity: Int
    private let stamps: Stamps

    init(_ stamps: Stamps, capacity: Int = 8192) {
        self.stamps = stamps
        self.capacity = capacity
    }

    func find(_ key: Key) -> Value? {
        guard let entry = entries.withLock({ $0[key] }), stamps.isCurrent(entry.snapshot) else { return nil }
        return entry.value
    }

    /// `snapshot` must have been taken before the value was read.
    func insert(_ key: Key, _ value: Value, _ snapshot: Stamps.Snapshot) {
        entries.withLock { entries in
            if entries.count >= capacity { entries.removeAll() }
            entries[key] = Entry(value: value, snapshot: snapshot)
        }
    }

    /// Kept, or read now; `keys` are what the value stands on.
    func value(_ key: Key, keys: [CacheKey], read: () async throws -> Value?) async throws -> Value? {
        if let known = find(key) { return known }
        let snapshot = stamps.snapshot(keys)
        guard let value = try await read() else { return nil }
        insert(key, value, snapshot)
        return value
    }

    /// For values found by a name, whose keys only the value tells: read twice, once before the stamps are taken and
    /// once after, and kept when both agree on the keys.
    func value(
        _ key: Key, keysOf keys: (Value) -> [CacheKey], read: () async throws -> Value?
    ) async throws -> Value? {
        if let known = find(key) { return known }
        guard let first = try await read() else { return nil }
        let snapshot = stamps.snapshot(keys(first))
        guard let second = try await read() else { return nil }
        if keys(first) == keys(second) { insert(key, second, snapshot) }
        return second
    }
}
