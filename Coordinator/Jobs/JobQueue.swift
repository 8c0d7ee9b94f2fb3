// SPDX-License-Identifier: Apache-2.0
// What services hold: it puts jobs and wishes into the transaction of the request.
//
//     try await database.write("server.create") { connection in
//         try ServerStore.insert(server, connection)
//         try jobs.add(CreateServerJob.self, subject: "server:\(server.id)", state, connection)
//     }
//     jobs.announce()

import Core
import Database
import JSON

package struct JobQueue: Sendable {
    private let clock: any Clock
    private let entropy: any Entropy
    let bell = Bell()

    package init(clock: any Clock = SystemClock(), entropy: any Entropy = SystemEntropy()) {
        self.clock = clock
        self.entropy = entropy
    }

    @discardableResult
    package func add<J: Job>(
        _ job: J.Type, subject: String, _ state: J.State, delaySeconds: Int64 = 0, _ connection: any Connection
    ) throws -> ID<JobRow> {
        let now = clock.now
        let row = JobRow(
            id: .random(entropy), kind: J.kind, subject: subject, label: J.firstLabel.rawValue, state: state.json.text,
            attempt: 0, deadline: J.timeLimitSeconds.map { now.adding(seconds: $0) }, wish: nil, isHonoured: false,
            failure: nil, created: now)
        try JobStore.insert(row, due: now.adding(seconds: delaySeconds), connection)
        return row.id
    }

    /// Wishes that the subject's jobs undo what they did. Never refused; returns how many jobs heard it for the first
    /// time. A subject with none has nothing to undo.
    @discardableResult
    package func wish(_ wish: JobWish, subject: String, _ connection: any Connection) throws -> Int {
        try JobStore.wish(wish, subject: subject, now: clock.now, connection)
    }

    /// The subject's jobs, oldest first.
    package func jobs(subject: String, _ connection: any Connection) throws -> [JobRow] {
        try JobStore.list(subject: subject, connection)
    }

    /// After the commit: the runner looks at once. Cheap; never waits.
    package func announce() { bell.ring() }
}
