// SPDX-License-Identifier: Apache-2.0
// Events as they are written, read, kept and rendered.

import Core
import Database
import DatabaseTesting
import Events
import JSON
import Testing

let someone = Event.Initiator(
    user: ID("u1"), project: ID("p1"), domain: ID("d1"), address: "192.0.2.7", agent: "curl/8", requestID: "req-1")

func thing(_ id: String, touches: [String] = []) -> Event {
    Event("test", .created, .init("thing", id), by: someone, touches: touches)
}

extension Database {
    func record(_ recorder: EventRecorder, _ events: Event...) async throws {
        try await write("record") { connection in for event in events { try recorder.append(event, connection) } }
        recorder.announce()
    }
}

@Suite struct EventTests {
    @Test(arguments: TestEngine.available)
    func anEventComesBackAsItWasRecorded(_ engine: TestEngine) async throws {
        try await withDatabase(engine, EventSchema.migrations) { database in
            let recorder = EventRecorder()
            let full = Event(
                "compute", .used, .init("server", "s1", project: ID("p2"), domain: ID("d2")), by: someone,
                outcome: .failure,
                usage: .init(begin: Instant(seconds: 1), end: Instant(seconds: 61), size: 42),
                payload: ["name": "é\"", "list": [1, nil]], touches: ["a:1", "b:2"])
            try await database.record(recorder, full, thing("bare"))
            let feed = EventFeed(database: database, recorder: recorder, log: Log(file: -1)) { _ in }
            let following = Task { await feed.run() }
            let consumer = try await feed.consumer("test")
            let events = try #require(try await consumer.next())
            following.cancel()
            #expect(events.map(\.event) == [full, thing("bare")])
            #expect(events[0].origin == recorder.origin)
            #expect(events[0].id.count == 36)
            #expect(events[0].position < events[1].position)
            #expect(full.kind == "compute.server.used")
        }
    }

    @Test(arguments: TestEngine.available)
    func aChangeThatFailsLeavesNoEvent(_ engine: TestEngine) async throws {
        try await withDatabase(engine, EventSchema.migrations) { database in
            let recorder = EventRecorder()
            await #expect(throws: CloudError.self) {
                try await database.write("fail") { connection in
                    try recorder.append(thing("never"), connection)
                    throw CloudError.conflict("It is taken.")
                }
            }
            let count = try await database.read("count") { try $0.row("SELECT COUNT(*) FROM event")?.int(0) }
            #expect(count == 0)
        }
    }

    @Test(arguments: TestEngine.available)
    func oldEventsGoAndNewOnesStay(_ engine: TestEngine) async throws {
        try await withDatabase(engine, EventSchema.migrations) { database in
            let now = SystemClock().now
            for (age, id) in [(40, "old"), (31, "older than a month"), (29, "young"), (0, "new")] {
                let recorder = EventRecorder(clock: FixedClock(now: now.adding(days: -Int64(age))))
                try await database.record(recorder, thing(id))
            }
            try await EventRetention(database: database, clock: FixedClock(now: now)).round()
            #expect(try await Self.ids(database) == ["young", "new"])
        }
    }

    @Test(arguments: TestEngine.available)
    func theTableKeepsSoManyRowsAtMost(_ engine: TestEngine) async throws {
        try await withDatabase(engine, EventSchema.migrations) { database in
            let recorder = EventRecorder()
            try await database.write("many") { connection in
                for i in 0..<2500 { try recorder.append(thing("\(i)"), connection) }
            }
            try await EventRetention(database: database, rows: 3).round()
            #expect(try await Self.ids(database) == ["2497", "2498", "2499"])
        }
    }

    private static func ids(_ database: Database) async throws -> [String] {
        try await database.read("ids") {
            try $0.rows("SELECT resource_id FROM event ORDER BY sequence").map { $0.text(0) }
        }
    }

    @Test func theAuditFormNamesWhoWhatAndFromWhere() async throws {
        let event = Event(
            "identity", .created, .init("user", "u2", domain: ID("d2")), by: someone, payload: ["name": "eve"])
        let recorded = try await recordedOnce(event)
        let json = try JSON.parse(JSONWriter.bytes { recorded.cadf(into: &$0) })
        #expect(json["typeURI"] == "http://schemas.dmtf.org/cloud/audit/1.0/event")
        #expect(json["eventType"] == "activity")
        #expect(json["action"] == "created.user")
        #expect(json["outcome"] == "success")
        #expect(json["id"]?.string == recorded.id)
        #expect(json["eventTime"]?.string == recorded.time.text)
        #expect(json["initiator"]?["id"] == "u1")
        #expect(json["initiator"]?["typeURI"] == "service/security/account/user")
        #expect(json["initiator"]?["host"] == ["address": "192.0.2.7", "agent": "curl/8"])
        #expect(json["initiator"]?["project_id"] == "p1")
        #expect(json["initiator"]?["request_id"] == "req-1")
        #expect(json["target"]?["id"] == "u2")
        #expect(json["target"]?["typeURI"] == "data/security/account/user")
        #expect(json["observer"]?["typeURI"] == "service/security")
        #expect(json["attachments"]?[0]?["content"] == ["name": "eve"])
    }

    @Test func aSignInHasItsOwnWordAndTheCloudIsAnInitiatorToo() async throws {
        let event = Event("identity", .authenticated, .init("user", "u2"), by: .cloud, outcome: .failure)
        let recorded = try await recordedOnce(event)
        let json = try JSON.parse(JSONWriter.bytes { recorded.cadf(into: &$0) })
        #expect(json["action"] == "authenticate")
        #expect(json["outcome"] == "failure")
        #expect(json["initiator"]?["typeURI"] == "service/security")
        #expect(json["initiator"]?["host"] == nil)
    }

    private func recordedOnce(_ event: Event) async throws -> RecordedEvent {
        try await withPlace(.sqlite) { place in
            let database = try await Database.open(place.location, migrations: EventSchema.migrations)
            let recorder = EventRecorder()
            try await database.record(recorder, event)
            let feed = EventFeed(database: database, recorder: recorder, log: Log(file: -1)) { _ in }
            let events = try await feed.consumer("once").next()
            await database.close()
            return try #require(events?.first)
        }
    }
}

struct FixedClock: Clock { let now: Instant }
