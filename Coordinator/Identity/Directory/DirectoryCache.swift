// SPDX-License-Identifier: Apache-2.0
// What a directory answered a moment ago, so that checking tokens one after the other does not ask it each time. A
// change in the directory shows after at most `seconds`. Bounded; what does not exist is not remembered.

import Core
import Synchronization

final class DirectoryCache<Value: Sendable>: Sendable {
    private struct Kept: Sendable {
        let value: Value
        let until: Instant
    }
    private let kept = Mutex<[String: Kept]>([:])
    private let bound: Int
    private let seconds: Int64

    init(bound: Int = Limits.directoryCacheEntries, seconds: Int64 = Limits.directoryCacheSeconds) {
        self.bound = bound
        self.seconds = seconds
    }

    func value(_ key: String, now: Instant) -> Value? {
        kept.withLock { kept in
            guard let found = kept[key], found.until > now else { return nil }
            return found.value
        }
    }

    func keep(_ value: Value, _ keys: [String], now: Instant) {
        let entry = Kept(value: value, until: now.adding(seconds: seconds))
        kept.withLock { kept in
            if kept.count + keys.count > bound { kept = kept.filter { $0.value.until > now } }
            if kept.count + keys.count > bound { kept.removeAll() }
            for key in keys { kept[key] = entry }
        }
    }

    var count: Int { kept.withLock { $0.count } }
}
