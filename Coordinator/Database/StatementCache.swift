// SPDX-License-Identifier: Apache-2.0
// Prepared statements of one connection, the least recently used given up when it is full. A statement written out in
// a Store is known by its literal's address, which costs no look at its text; one put together by Query by its text.

enum StatementKey: Hashable, Sendable {
    case literal(address: UInt, count: Int)
    case text(String)

    init(_ sql: StaticString) {
        if sql.hasPointerRepresentation {
            self = .literal(address: UInt(bitPattern: sql.utf8Start), count: sql.utf8CodeUnitCount)
        } else {
            self = .text(sql.description)
        }
    }
}

struct StatementCache<Prepared> {
    private var entries: [StatementKey: (prepared: Prepared, used: UInt64)] = [:]
    private var uses: UInt64 = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func find(_ key: StatementKey) -> Prepared? {
        uses += 1
        guard let index = entries.index(forKey: key) else { return nil }
        entries.values[index].used = uses
        return entries.values[index].prepared
    }

    /// Returns the statement that had to make room, to be given up.
    mutating func insert(_ prepared: Prepared, for key: StatementKey) -> Prepared? {
        var evicted: Prepared?
        if entries.count >= limit, let oldest = entries.min(by: { $0.value.used < $1.value.used }) {
            evicted = oldest.value.prepared
            entries[oldest.key] = nil
        }
        entries[key] = (prepared, uses)
        return evicted
    }

    mutating func removeAll() -> [Prepared] {
        defer { entries = [:] }
        return entries.values.map(\.prepared)
    }
}
