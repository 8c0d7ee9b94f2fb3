// SPDX-License-Identifier: Apache-2.0
// Takes due jobs by lease and works at them, so many at once. Several coordinators may run one each on the same
// database: a lease belongs to one, is renewed while a step runs, and when its owner dies the job becomes due for the
// others.
//
// It looks when told to (a bell, NOTIFY), when the next job is due, and now and then by itself.

import Core
import Database

package actor JobRunner: BackgroundWork {
    /// Finds what the command line or a dead coordinator left, without being told.
    private static let pollMilliseconds = 5000
    private static let takenAtOnce = 16
    private static let channel: StaticString = "martlet_job"

    package nonisolated let name = "jobs"
    private let queue: JobQueue
    private let kinds: [String: JobKind]
    private let desk: JobDesk
    private let limit: Int
    /// Jobs under way, and the bell that tells each to look for a wish.
    private var running: [ID<JobRow>: Signal] = [:]
    private var isFailing = false

    package init(
        database: Database, queue: JobQueue, kinds: [JobKind], log: Log, clock: any Clock = SystemClock(),
        entropy: any Entropy = SystemEntropy(), limit: Int = Limits.jobsAtOnce, leaseSeconds: Int64 = 60
    ) {
        self.queue = queue
        self.kinds = Dictionary(kinds.map { ($0.name, $0) }) { first, _ in first }
        self.limit = limit
        desk = JobDesk(
            database: database, owner: Hex.text(entropy.bytes(8)), leaseSeconds: leaseSeconds, clock: clock, log: log)
    }

    /// Works until the task is cancelled; steps under way are then cancelled too and their jobs given back.
    package func run() async {
        let signal = queue.bell.signal
        desk.database.onSignal(Self.channel) { signal.ring() }
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let pause = await round(&group)
                if pause > 0 { await signal.wait(milliseconds: pause) }
                if queue.bell.takeOwn() { await desk.database.signal(Self.channel) }
            }
            group.cancelAll()
        }
    }

    /// Starts what is due; returns how long there is nothing to do.
    private func round(_ group: inout DiscardingTaskGroup) async -> Int {
        do {
            if !running.isEmpty { try await passOnWishes() }
            guard running.count < limit else { return Self.pollMilliseconds }
            let (rows, pause) = try await take()
            isFailing = false
            for row in rows {
                let signal = Signal()
                running[row.id] = signal
                group.addTask { await self.work(row, signal) }
            }
            return rows.isEmpty ? pause : 0
        } catch {
            if !isFailing { desk.log.error("jobs cannot be read: \(error)") }
            isFailing = true
            return Self.pollMilliseconds
        }
    }

    private func take() async throws -> ([JobRow], pause: Int) {
        let (names, desk) = (kinds.keys.sorted(), desk)
        let now = desk.clock.now
        // Looked for with a read, so that an idle coordinator does not write.
        guard let first = try await desk.database.read("job.due", { try JobStore.firstDue(names, $0) }) else {
            return ([], Self.pollMilliseconds)
        }
        guard first <= now else {
            let (wait, overflow) = first.microseconds.subtractingReportingOverflow(now.microseconds)
            return ([], overflow ? Self.pollMilliseconds : Int(min(Int64(Self.pollMilliseconds), wait / 1000 + 1)))
        }
        let limit = min(Self.takenAtOnce, limit - running.count)
        let rows = try await desk.database.write("job.take") {
            try JobStore.take(names, owner: desk.owner, now: now, until: desk.leaseEnd, limit: limit, $0)
        }
        // None: another coordinator was first.
        return (rows, 10)
    }

    private func passOnWishes() async throws {
        let owner = desk.owner
        for id in try await desk.database.read("job.wished", { try JobStore.wished(owner: owner, $0) }) {
            running[id]?.ring()
        }
    }

    // MARK: One job

    private func work(_ row: JobRow, _ signal: Signal) async {
        do {
            var row = row
            while case .on(let next) = try await turn(row, signal) {
                // On the way down the rest is left to whoever comes next.
                if Task.isCancelled { return await giveBack(next) }
                row = next
            }
        } catch {
            // The lease runs out, and the job is due again.
            desk.log.error("job \(row.kind) of \(row.subject) could not be stored: \(error)")
        }
        running[row.id] = nil
        queue.bell.signal.ring()
    }

    private func giveBack(_ row: JobRow) async {
        let desk = desk
        running[row.id] = nil
        _ = try? await desk.database.write("job.release") {
            try JobStore.release(row, owner: desk.owner, due: desk.clock.now, now: desk.clock.now, $0)
        }
    }

    /// One turn, with the lease held and an eye on wishes while it lasts.
    private func turn(_ row: JobRow, _ signal: Signal) async throws -> JobTurn {
        guard let kind = kinds[row.kind] else { return .lost }
        let desk = desk
        return try await withThrowingTaskGroup(of: JobTurn?.self) { group in
            group.addTask { try await kind.turn(row, desk) }
            group.addTask {
                await Self.keep(row, desk, signal)
                return nil
            }
            defer { group.cancelAll() }
            while let end = try await group.next() {
                if let end { return end }
                group.cancelAll()
            }
            return .lost
        }
    }

    /// Renews the lease; returns when the step must stop: a wish came, or the lease is lost.
    private static func keep(_ row: JobRow, _ desk: JobDesk, _ signal: Signal) async {
        while !Task.isCancelled {
            await signal.wait(milliseconds: Int(desk.leaseSeconds) * 1000 / 3)
            if Task.isCancelled { return }
            // When the database is away, so is the lease, but nobody else can take it either.
            let hold = try? await desk.database.write("job.renew") { connection in
                (
                    isOurs: try JobStore.renew(row.id, owner: desk.owner, until: desk.leaseEnd, connection),
                    isWished: try JobStore.wished(owner: desk.owner, connection).contains(row.id)
                )
            }
            guard let hold else { continue }
            if !hold.isOurs || (hold.isWished && row.wish == nil) { return }
        }
    }
}
