// SPDX-License-Identifier: Apache-2.0
// Following the stream: who hears what, that nothing is skipped, and that a restart goes on where it was.

import Core
import Database
import DatabaseTesting
import Events
import Glibc
import Synchronization
import Testing

private final class Heard: Sendable {
    private let list = Mutex<[String]>([])
    func add(_ items: [String]) { list.withLock { $0 += items } }
    var items: [String] { list.withLock { $0 } }
}

@Suite struct EventFeedTests {
    @Test(arguments: TestEngine.available)
    func onlyWhatOthersTouchedIsToldToTheCaches(_ engine: TestEngine) async throws {
        try await withDatabase(engine, EventSchema.migrations) { database in
            let ours = EventRecorder(), theirs = EventRecorder(), heard = Heard()
            try await database.record(theirs, thing("before", touches: ["old"]))
            let feed = EventFeed(database: database, recorder: ours, log: Log(file: -1)) { heard.add($0) }
            try await feed.start()
            let following = Task { await feed.run() }
            try await database.record(ours, thing("1", touches: ["own"]))
            try await database.record(theirs, thing("2", touches: ["user:1", "project:2"]))
            try await database.write("touch") { try theirs.append(touches: ["bare"], $0) }
            #expect(try await waitUntil { heard.items.last == "bare" })
            // What was there before may come too, when it was not settled at the start.
            #expect(heard.items.filter { $0 != "old" } == ["user:1", "project:2", "bare"])
            following.cancel()
            await following.value
        }
    }

    @Test(arguments: TestEngine.available)
    func noneIsSkippedAndNoneComesTwiceUnderLoad(_ engine: TestEngine) async throws {
        try await withDatabase(engine, EventSchema.migrations) { database in
            let recorder = EventRecorder()
            let feed = EventFeed(database: database, recorder: recorder, log: Log(file: -1)) { _ in }
            try await feed.start()
            let following = Task { await feed.run() }
            let stream = feed.subscribe(capacity: 10_000)
            let consumer = try await feed.consumer("test")
            let writers = 16, each = 15
            try await withThrowingTaskGroup { group in
                for writer in 0..<writers {
                    group.addTask {
                        for i in 0..<each {
                            try await database.write("record") { connection in
                                try recorder.append(thing("\(writer)-\(i)"), connection)
                                // Some take their time between taking a number and the commit.
                                if engine == .postgres && i % 5 == writer % 5 { usleep(20_000) }
                            }
                            recorder.announce()
                        }
                    }
                }
                try await group.waitForAll()
            }
            var consumed: [String] = []
            while consumed.count < writers * each, let page = try await consumer.next() {
                consumed += page.map(\.event.resource.id)
            }
            var live: [String] = []
            for await event in stream {
                live.append(event.event.resource.id)
                if live.count == writers * each { break }
            }
            #expect(Set(consumed).count == writers * each)
            #expect(live == consumed)
            following.cancel()
            await following.value
        }
    }

    @Test(.enabled(if: TestEngine.available.contains(.postgres)))
    func aNumberTakenEarlyAndCommittedLateIsNotSkipped() async throws {
        try await withDatabase(.postgres, EventSchema.migrations) { database in
            let recorder = EventRecorder()
            let feed = EventFeed(database: database, recorder: recorder, log: Log(file: -1)) { _ in }
            try await feed.start()
            let stream = feed.subscribe()
            let (mayEnd, hasBegun) = (Atomic<Bool>.Box(), Atomic<Bool>.Box())
            async let late: Void = database.write("late") { connection in
                try recorder.append(thing("early number"), connection)
                hasBegun.set()
                while !mayEnd.isSet { usleep(1000) }
            }
            #expect(try await waitUntil { hasBegun.isSet })
            try await database.record(recorder, thing("late number"))
            // Nothing yet: what is before it may still come.
            _ = try await feed.look()
            mayEnd.set()
            try await late
            let following = Task { await feed.run() }
            var ids: [String] = []
            for await event in stream {
                ids.append(event.event.resource.id)
                if ids.count == 2 { break }
            }
            #expect(ids == ["early number", "late number"])
            following.cancel()
            await following.value
        }
    }

    @Test(arguments: TestEngine.available)
    func aConsumerGoesOnWhereItCommitted(_ engine: TestEngine) async throws {
        try await withDatabase(engine, EventSchema.migrations) { database in
            let recorder = EventRecorder()
            let feed = EventFeed(database: database, recorder: recorder, log: Log(file: -1)) { _ in }
            let following = Task { await feed.run() }
            try await database.record(recorder, thing("1"), thing("2"), thing("3"))
            let first = try await feed.consumer("test")
            #expect(try await first.next(limit: 1)?.map(\.event.resource.id) == ["1"])
            try await first.commit()
            #expect(try await first.next(limit: 1)?.map(\.event.resource.id) == ["2"])
            // Ends without having committed "2".
            let second = try await feed.consumer("test")
            #expect(try await second.next()?.map(\.event.resource.id) == ["2", "3"])
            let other = try await feed.consumer("another")
            #expect(try await other.next()?.count == 3)
            following.cancel()
            await following.value
        }
    }

    @Test func aSubscriberThatFallsBehindIsEndedNotGivenHoles() async throws {
        try await withDatabase(.sqlite, EventSchema.migrations) { database in
            let recorder = EventRecorder()
            let feed = EventFeed(database: database, recorder: recorder, log: Log(file: -1)) { _ in }
            try await feed.start()
            let stream = feed.subscribe(capacity: 2)
            try await database.record(recorder, thing("1"), thing("2"), thing("3"), thing("4"))
            _ = try await feed.look()
            var ids: [String] = []
            for await event in stream { ids.append(event.event.resource.id) }
            #expect(ids == ["1", "2"])
        }
    }

    @Test(.enabled(if: TestEngine.available.contains(.postgres)))
    func cachesDoNotWaitForAStrangersTransaction() async throws {
        try await withDatabase(.postgres, EventSchema.migrations) { database in
            let ours = EventRecorder(), theirs = EventRecorder(), heard = Heard()
            let feed = EventFeed(database: database, recorder: ours, log: Log(file: -1)) { heard.add($0) }
            try await feed.start()
            let (mayEnd, hasBegun) = (Atomic<Bool>.Box(), Atomic<Bool>.Box())
            async let stranger: Void = database.write("stranger") { connection in
                try theirs.append(thing("late", touches: ["late"]), connection)
                hasBegun.set()
                while !mayEnd.isSet { usleep(1000) }
            }
            #expect(try await waitUntil { hasBegun.isSet })
            for i in 0..<3 {
                try await database.record(theirs, thing("\(i)", touches: ["\(i)"]))
                _ = try await feed.look()
                #expect(heard.items.last == "\(i)")
            }
            mayEnd.set()
            try await stranger
            _ = try await feed.look()
            #expect(heard.items == ["0", "1", "2", "late"])
            // Settled, they are not told again.
            let following = Task { await feed.run() }
            let consumer = try await feed.consumer("test")
            var count = 0
            while count < 4, let page = try await consumer.next() { count += page.count }
            #expect(heard.items == ["0", "1", "2", "late"])
            following.cancel()
            await following.value
        }
    }

    @Test(.enabled(if: TestEngine.available.contains(.postgres)))
    func anotherCoordinatorHearsSoonerThanItsTimer() async throws {
        try await withPlace(.postgres) { place in
            let one = try await Database.open(place.location, migrations: EventSchema.migrations)
            let other = try await Database.open(place.location, migrations: EventSchema.migrations)
            let heard = Heard(), recorder = EventRecorder()
            let oneFeed = EventFeed(database: one, recorder: recorder, log: Log(file: -1)) { _ in }
            let otherFeed = EventFeed(database: other, recorder: EventRecorder(), log: Log(file: -1)) { heard.add($0) }
            try await oneFeed.start()
            try await otherFeed.start()
            let following = [Task { await oneFeed.run() }, Task { await otherFeed.run() }]
            var best = Duration.seconds(100)
            for i in 0..<10 where best > .milliseconds(400) {
                let started = ContinuousClock.now
                try await one.record(recorder, thing("\(i)", touches: ["\(i)"]))
                #expect(try await waitUntil { heard.items.last == "\(i)" })
                best = min(best, ContinuousClock.now - started)
            }
            #expect(best < .milliseconds(400))
            for task in following { task.cancel() }
            for task in following { await task.value }
            await one.close()
            await other.close()
        }
    }

    @Test(.enabled(if: TestEngine.available.contains(.postgres)))
    func aDatabaseRestoredIntoAnotherServerGoesOn() async throws {
        try await withDatabase(.postgres, EventSchema.migrations) { database in
            let recorder = EventRecorder()
            try await database.record(recorder, thing("1"), thing("2"))
            // As a dump of a server that had counted much further.
            try await database.write("age") { try $0.execute("UPDATE event SET writer = writer + 1000000000000") }
            let feed = EventFeed(database: database, recorder: recorder, log: Log(file: -1)) { _ in }
            try await feed.start()
            let following = Task { await feed.run() }
            try await database.record(recorder, thing("3"))
            let consumer = try await feed.consumer("test")
            var ids: [String] = []
            while ids.count < 3, let page = try await consumer.next() { ids += page.map(\.event.resource.id) }
            #expect(ids == ["1", "2", "3"])
            following.cancel()
            await following.value
        }
    }
}

extension Atomic where Value == Bool {
    /// A flag that closures can share.
    final class Box: Sendable {
        private let value = Atomic<Bool>(false)
        func set() { value.store(true, ordering: .releasing) }
        var isSet: Bool { value.load(ordering: .acquiring) }
    }
}
