// SPDX-License-Identifier: Apache-2.0
// Follows the table of events. What other origins recorded (other coordinators, the command line) makes cached
// knowledge here stale: their touches go to the handler. Subscribers in this process get every event as it comes;
// consumers with a durable cursor are told to look.
//
//     write + append ─commit─► announce() ─► bell ─► look ─► touches of others ─► handler
//                                  │                  ├────► subscribers
//                                  └─► NOTIFY         └────► consumers' bells
//
// Invariant: events are seen in one order, and none is skipped. Looking is by timer (once a second, one indexed
// statement) and by bell; a bell that is lost costs at most that second.
//
// On PostgreSQL an event is settled only when no older transaction of the whole server is under way (EventStore), and
// a stranger's may be for hours. Ordered readers can wait; caches cannot. So touches are also taken early, from any
// committed row, in whatever order it comes: touching twice does no harm.

import Core
import Database
import Synchronization

package final class EventFeed: Sendable {
    private static let pollMilliseconds = 1000
    /// After a bell, looks are this far apart at least: a burst of writes is one look.
    private static let gatherMilliseconds = 20
    private static let pageRows = 256
    private static let channel: StaticString = "martlet_event"

    private struct State {
        var position = EventPosition.beginning
        var early = EarlyTouches()
        var subscribers: [Int: AsyncStream<RecordedEvent>.Continuation] = [:]
        var consumers: [Int: Signal] = [:]
        var next = 0
    }
    private let state = Mutex(State())
    private let database: Database
    private let recorder: EventRecorder
    private let log: Log
    private let handler: @Sendable (_ touches: [String]) -> Void

    package init(
        database: Database, recorder: EventRecorder, log: Log,
        touched handler: @escaping @Sendable (_ touches: [String]) -> Void
    ) {
        self.database = database
        self.recorder = recorder
        self.log = log
        self.handler = handler
    }

    /// Finds the end of the stream. To be called before any cache is filled: whatever changes after it is heard of.
    package func start() async throws {
        if database.isPostgres { try await adoptRestored() }
        let end = try await database.read("event.end") { try EventStore.end($0) }
        state.withLock {
            $0.position = end
            $0.early = EarlyTouches(after: end)
        }
        let signal = recorder.bell.signal
        database.onSignal(Self.channel) { signal.ring() }
    }

    private func adoptRestored() async throws {
        guard try await database.read("event.adopt", { try EventStore.isFromAnotherServer($0) }) else { return }
        log.warning("the database was restored into another server: its events are ordered anew")
        try await database.write("event.adopt") { try EventStore.adopt($0) }
    }

    /// Follows until the task is cancelled.
    package func run() async {
        var isFailing = false
        while !Task.isCancelled {
            do {
                while try await look() {}
                isFailing = false
            } catch {
                if !isFailing { log.error("events cannot be read: \(error)") }
                isFailing = true
            }
            await recorder.bell.signal.wait(milliseconds: Self.pollMilliseconds)
            if recorder.bell.takeOwn() {
                try? await Task.sleep(for: .milliseconds(Self.gatherMilliseconds))
                await database.signal(Self.channel)
            }
        }
        finishSubscribers()
    }

    /// One look; true when there may be more.
    package func look() async throws -> Bool {
        if database.isPostgres { try await lookEarly() }
        let position = state.withLock { $0.position }
        let page = try await database.read("event.page") {
            try EventStore.page(after: position, limit: Self.pageRows, $0)
        }
        guard let last = page.last else { return false }
        let (touches, subscribers, consumers) = state.withLock { state in
            state.position = last.position
            let others = page.filter { $0.origin != recorder.origin && state.early.isNew($0.position) }
            state.early.settle(upTo: last.position)
            return (others.flatMap(\.event.touches), state.subscribers, state.consumers)
        }
        if !touches.isEmpty { handler(touches) }
        for event in page where event.isForConsumers {
            for (number, subscriber) in subscribers {
                if case .dropped = subscriber.yield(event) { end(subscriber: number) }
            }
        }
        for bell in consumers.values { bell.ring() }
        return page.count == Self.pageRows
    }

    private func lookEarly() async throws {
        let (start, origin) = (state.withLock { $0.early.start(after: $0.position) }, recorder.origin)
        let rows = try await database.read("event.early") {
            try EventStore.touches(after: start, notOf: origin, limit: EarlyTouches.pageRows, $0)
        }
        let touches = state.withLock { $0.early.take(rows) }
        if !touches.isEmpty { handler(touches) }
    }

    // MARK: Subscribers

    /// Every event from here on. A subscriber that falls behind by more than `capacity` is ended rather than given a
    /// stream with holes; it then reads what it needs anew.
    package func subscribe(capacity: Int = 1024) -> AsyncStream<RecordedEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: RecordedEvent.self, bufferingPolicy: .bufferingOldest(capacity))
        let number = state.withLock { state in
            state.next += 1
            state.subscribers[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.forget(subscriber: number) }
        return stream
    }

    private func end(subscriber number: Int) {
        let subscriber = state.withLock { $0.subscribers.removeValue(forKey: number) }
        subscriber?.finish()
    }

    private func forget(subscriber number: Int) { _ = state.withLock { $0.subscribers.removeValue(forKey: number) } }

    private func finishSubscribers() {
        let subscribers = state.withLock { state in
            defer { state.subscribers = [:] }
            return state.subscribers
        }
        for subscriber in subscribers.values { subscriber.finish() }
    }

    // MARK: Consumers

    /// A consumer that goes on where it left off, across restarts. A name that is new starts at the oldest event
    /// kept. One process at a time uses a name.
    package func consumer(_ name: String) async throws -> EventConsumer {
        let position = try await database.read("event.cursor") { try EventStore.cursor(of: name, $0) }
        let bell = Signal()
        let number = state.withLock { state in
            state.next += 1
            state.consumers[state.next] = bell
            return state.next
        }
        return EventConsumer(name: name, database: database, position: position ?? .beginning, bell: bell) {
            [weak self] in
            self?.forget(consumer: number)
        }
    }

    private func forget(consumer number: Int) { _ = state.withLock { $0.consumers.removeValue(forKey: number) } }
}

extension RecordedEvent {
    /// False for rows that only carry touches.
    var isForConsumers: Bool { event.service != EventStore.cacheService }
}

/// Which rows' touches were taken before they were settled. A row may appear behind those already taken, so each look
/// goes back a little; what is missed even so comes when it is settled.
private struct EarlyTouches {
    static let pageRows = 2000
    /// Transactions under way at once are far fewer.
    private static let rewoundTransactions: Int64 = 1000
    /// Beyond it rows are taken again, which is harmless.
    private static let remembered = 20_000

    private var last: EventPosition
    private var wasFull = false
    private var taken: Set<EventPosition> = []

    init(after position: EventPosition = .beginning) { last = position }

    func start(after settled: EventPosition) -> EventPosition {
        // A full page is followed by the next one, or the look would not get on.
        let rewound = wasFull ? last : EventPosition(writer: last.writer - Self.rewoundTransactions, sequence: 0)
        return max(settled, rewound)
    }

    func isNew(_ position: EventPosition) -> Bool { !taken.contains(position) }

    /// The touches not taken yet.
    mutating func take(_ rows: [(position: EventPosition, touches: [String])]) -> [String] {
        wasFull = rows.count == Self.pageRows
        if let end = rows.last?.position { last = max(last, end) }
        if taken.count > Self.remembered { taken = [] }
        return rows.filter { taken.insert($0.position).inserted }.flatMap(\.touches)
    }

    mutating func settle(upTo position: EventPosition) {
        if !taken.isEmpty { taken = taken.filter { $0 > position } }
    }
}
