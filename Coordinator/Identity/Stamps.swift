// SPDX-License-Identifier: Apache-2.0
// What makes cached knowledge stale. A cached thing remembers the stamps of the keys it was made from; a write
// touches keys, which changes their stamps, so the next look sees the cached thing is old. The table has a fixed
// size: two keys may share a stamp, which only makes a cache miss a little more often. Touches reach other
// coordinators through the event feed.

import Core
import Synchronization

/// A thing whose change makes caches stale.
package enum CacheKey: Hashable, Sendable {
    /// Anything may have changed: roles, implications, group memberships and grants, domains' configuration.
    case everything
    case catalog
    case user(ID<User>)
    case project(ID<Project>)
    case domain(ID<Domain>)
    /// One token, by its audit id.
    case token(String)
    case trust(ID<Trust>)
    case applicationCredential(ID<ApplicationCredential>)

    /// How the event feed carries it.
    package var text: String {
        switch self {
        case .everything: "everything"
        case .catalog: "catalog"
        case .user(let id): "user:\(id)"
        case .project(let id): "project:\(id)"
        case .domain(let id): "domain:\(id)"
        case .token(let audit): "token:\(audit)"
        case .trust(let id): "trust:\(id)"
        case .applicationCredential(let id): "application_credential:\(id)"
        }
    }

    /// The slot of a key as the feed carried it; the same as `slot` of the key itself.
    static func slot(ofText text: String) -> Int {
        switch text {
        case "everything": return 0
        case "catalog": return 1
        default:
            // FNV-1a: the same on every coordinator is not needed, the same for one text always is.
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            return 2 + Int((hash ^ hash >> 32) % UInt64(Stamps.slotCount - 2))
        }
    }

    package var slot: Int { Self.slot(ofText: text) }
}

package final class Stamps: @unchecked Sendable {
    // Safe: the pointer is set once; the stamps behind it are atomics.
    static let slotCount = 1 << 16
    private let slots: UnsafeMutablePointer<Atomic<UInt32>>

    package init() {
        slots = .allocate(capacity: Self.slotCount)
        for i in 0..<Self.slotCount { (slots + i).initialize(to: Atomic(0)) }
    }

    deinit {
        slots.deinitialize(count: Self.slotCount)
        slots.deallocate()
    }

    package func touch(_ key: CacheKey) { touch(slot: key.slot) }
    package func touch(text: String) { touch(slot: CacheKey.slot(ofText: text)) }

    private func touch(slot: Int) { slots[slot].add(1, ordering: .releasing) }

    /// What a cached thing remembers. Take it *before* reading what the thing is made of.
    package func snapshot(_ keys: [CacheKey]) -> Snapshot {
        let slots = [0] + keys.map(\.slot)
        return Snapshot(slots: slots, sum: sum(slots))
    }

    package func isCurrent(_ snapshot: Snapshot) -> Bool { sum(snapshot.slots) == snapshot.sum }

    /// Stamps only grow, so an equal sum means equal stamps.
    private func sum(_ indices: [Int]) -> UInt64 {
        var sum: UInt64 = 0
        for i in indices { sum &+= UInt64(slots[i].load(ordering: .acquiring)) }
        return sum
    }

    package struct Snapshot: Sendable {
        fileprivate let slots: [Int]
        fileprivate let sum: UInt64
    }
}
