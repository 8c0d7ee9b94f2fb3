// SPDX-License-Identifier: Apache-2.0
// Tokens already looked up, by their text. Set-associative with a fixed size, so it is bounded by construction and
// needs no clock hand; an entry is used only while its stamps are current. Only tokens whose signature was good come
// in, so nobody can fill it with rubbish; and the whole text is compared, so no collision can give one token the
// authority of another.

import Core
import Synchronization

final class TokenCache: Sendable {
    private static let ways = 8
    private static let shardCount = 16
    private struct Entry {
        let text: [UInt8]
        let token: Token
    }
    private struct Shard {
        var entries: [Entry?]
        var victim = 0
    }
    private let shards: [Mutex<Shard>.Box]
    private let setsPerShard: Int

    /// `capacity` tokens at most; an empty place costs 16 bytes, and nothing is allocated before the first token.
    init(capacity: Int) {
        setsPerShard = max(1, capacity / (Self.ways * Self.shardCount))
        shards = (0..<Self.shardCount).map { _ in .init(Shard(entries: [])) }
    }

    func find(_ text: UnsafeBufferPointer<UInt8>) -> Token? {
        let hash = Self.hash(text)
        return shards[Int(hash & 15)].mutex.withLock { shard in
            guard !shard.entries.isEmpty else { return nil }
            let base = start(hash)
            for i in base..<base + Self.ways {
                if let entry = shard.entries[i], Self.equal(entry.text, text) { return entry.token }
            }
            return nil
        }
    }

    func insert(_ text: UnsafeBufferPointer<UInt8>, _ token: Token) {
        let hash = Self.hash(text)
        let entry = Entry(text: Array(text), token: token)
        shards[Int(hash & 15)].mutex.withLock { shard in
            if shard.entries.isEmpty { shard.entries = Array(repeating: nil, count: setsPerShard * Self.ways) }
            let base = start(hash)
            var free: Int?
            for i in base..<base + Self.ways {
                guard let old = shard.entries[i] else {
                    free = free ?? i
                    continue
                }
                if old.text == entry.text {
                    shard.entries[i] = entry
                    return
                }
            }
            shard.victim &+= 1
            shard.entries[free ?? base + shard.victim % Self.ways] = entry
        }
    }

    private func start(_ hash: UInt64) -> Int { Int((hash >> 4) % UInt64(setsPerShard)) * Self.ways }

    private static func equal(_ a: [UInt8], _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        a.count == b.count && a.withUnsafeBufferPointer { a in a.elementsEqual(b) }
    }

    /// A token ends in a MAC, so its last bytes are as good as random.
    private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
        for byte in text.suffix(24).prefix(20) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash ^ hash >> 29
    }
}

extension Mutex where Value: ~Copyable {
    /// A mutex on the heap, so that an array can hold several.
    final class Box: Sendable {
        let mutex: Mutex<Value>
        init(_ value: consuming sending Value) { mutex = Mutex(value) }
    }
}
