// SPDX-License-Identifier: Apache-2.0
// Writes events in the transaction of the change they tell of.
//
//     try await database.write("user.create") { connection in
//         try UserStore.insert(user, connection)
//         try recorder.append(Event("identity", .created, .init("user", user.id.text), by: initiator), connection)
//     }
//     recorder.announce()

import Core
import Database

package struct EventRecorder: Sendable {
    /// This process among all that write to the database; its own touches are not brought back to it.
    package let origin: String
    private let clock: any Clock
    private let entropy: any Entropy
    let bell = Bell()

    package init(clock: any Clock = SystemClock(), entropy: any Entropy = SystemEntropy()) {
        origin = Hex.text(entropy.bytes(8))
        self.clock = clock
        self.entropy = entropy
    }

    package func append(_ event: Event, _ connection: any Connection) throws(DatabaseError) {
        try EventStore.insert(event, id: UUIDText.random(entropy), time: clock.now, origin: origin, connection)
    }

    /// For a change that nobody needs to hear of but caches: reaches the other coordinators, no consumer.
    package func append(touches: [String], _ connection: any Connection) throws(DatabaseError) {
        guard !touches.isEmpty else { return }
        let event = Event(
            EventStore.cacheService, .updated, .init("cache", ""), by: .cloud, touches: touches)
        try append(event, connection)
    }

    /// After the commit: consumers and other coordinators look at once, rather than within a second. Cheap; never
    /// waits.
    package func announce() { bell.ring() }
}

enum UUIDText {
    /// A random UUID (version 4): 8-4-4-4-12 hexadecimal digits.
    static func random(_ entropy: any Entropy) -> String {
        var bytes = entropy.bytes(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let text = Hex.text(bytes)
        var out = ""
        for (i, digit) in text.enumerated() {
            if [8, 12, 16, 20].contains(i) { out.append("-") }
            out.append(digit)
        }
        return out
    }
}
