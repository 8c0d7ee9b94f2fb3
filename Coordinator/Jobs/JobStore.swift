// SPDX-License-Identifier: Apache-2.0
// The table of jobs, and every statement on it. `due` is when a job is to be looked at next, and nothing else says
// so: taking a job moves it to the end of the lease, so the job of a coordinator that died becomes due by itself;
// giving up moves it to the end of time, where only a wish fetches it.

import Core
import Database

package enum JobSchema {
    package static let migrations: [Migration] = [
        Migration(
            "jobs.1.schema",
            [
                """
                CREATE TABLE job (id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, label TEXT NOT \
                NULL, state TEXT NOT NULL, attempt BIGINT NOT NULL DEFAULT 0, due BIGINT NOT NULL, lease_owner TEXT, \
                deadline BIGINT, wish TEXT, is_honoured BIGINT NOT NULL DEFAULT 0, failure TEXT, created BIGINT NOT \
                NULL)
                """,
                "CREATE INDEX job_due ON job (due)",
                "CREATE INDEX job_subject ON job (subject)",
                "CREATE INDEX job_owner ON job (lease_owner)",
            ])
    ]
}

package enum JobStore {
    /// When a job that gave up is due.
    static let never = Instant(microseconds: .max)

    static func insert(_ row: JobRow, due: Instant, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO job (id, kind, subject, label, state, due, deadline, created) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .id(row.id), .text(row.kind), .text(row.subject), .text(row.label), .text(row.state), .time(due),
                .time(row.deadline), .time(row.created),
            ])
    }

    /// Records a wish on every job of a subject and makes those due that no one holds. Delete outranks cancel.
    static func wish(_ wish: JobWish, subject: String, now: Instant, _ connection: any Connection) throws -> Int {
        try connection.execute(
            """
            UPDATE job SET wish = $1, due = CASE WHEN lease_owner IS NULL THEN $2 ELSE due END, \
            is_honoured = CASE WHEN wish = $1 THEN is_honoured ELSE 0 END \
            WHERE subject = $3 AND (wish IS NULL OR wish <> 'delete')
            """,
            [.text(wish.rawValue), .time(now), .text(subject)])
    }

    // MARK: Leases

    /// The time of the job that is due first, of the kinds this program knows.
    static func firstDue(_ kinds: [String], _ connection: any Connection) throws -> Instant? {
        var query = Query("SELECT due FROM job")
        query.filter("kind", in: kinds.map { .text($0) })
        query.append("ORDER BY due LIMIT 1")
        return try connection.rows(query).first?.time(0)
    }

    /// Takes due jobs, the longest due first.
    static func take(
        _ kinds: [String], owner: String, now: Instant, until: Instant, limit: Int, _ connection: any Connection
    ) throws -> [JobRow] {
        var query = Query("SELECT id FROM job")
        query.filter("due <= ?", .time(now))
        query.filter("kind", in: kinds.map { .text($0) })
        query.append("ORDER BY due LIMIT ?", .int(Int64(limit)))
        return try connection.rows(query).map { $0.id(0) }.compactMap { id in
            try take(id, owner: owner, until: until, connection)
        }
    }

    package static func take(
        _ id: ID<JobRow>, owner: String, until: Instant, _ connection: any Connection
    ) throws -> JobRow? {
        try connection.row(
            """
            UPDATE job SET lease_owner = $2, due = $3 WHERE id = $1 \
            RETURNING id, kind, subject, label, state, attempt, deadline, wish, is_honoured, failure, created
            """,
            [.id(id), .text(owner), .time(until)]
        ).map(row)
    }

    /// Holds on to a job; false when it is someone else's.
    static func renew(_ id: ID<JobRow>, owner: String, until: Instant, _ connection: any Connection) throws -> Bool {
        try connection.execute(
            "UPDATE job SET due = $3 WHERE id = $1 AND lease_owner = $2", [.id(id), .text(owner), .time(until)]) == 1
    }

    /// Those of the owner's jobs that have a wish not yet honoured.
    static func wished(owner: String, _ connection: any Connection) throws -> [ID<JobRow>] {
        try connection.rows(
            "SELECT id FROM job WHERE lease_owner = $1 AND wish IS NOT NULL AND is_honoured = 0", [.text(owner)]
        ).map { $0.id(0) }
    }

    private static func row(_ row: Row) -> JobRow {
        JobRow(
            id: row.id(0), kind: row.text(1), subject: row.text(2), label: row.text(3), state: row.text(4),
            attempt: Int(row.int(5)), deadline: row.optionalTime(6), wish: row.optionalText(7).flatMap(JobWish.init),
            isHonoured: row.bool(8), failure: row.optionalText(9), created: row.time(10))
    }

    // MARK: Advances, each only by the owner of the lease. False: the lease was lost, and nothing was stored.

    /// Stores a step's end and keeps the lease; returns the row with the wish that may have come meanwhile.
    static func advance(_ row: JobRow, owner: String, until: Instant, _ connection: any Connection) throws -> JobRow? {
        try connection.row(
            """
            UPDATE job SET label = $3, state = $4, attempt = 0, failure = NULL, due = $5 \
            WHERE id = $1 AND lease_owner = $2 \
            RETURNING id, kind, subject, label, state, attempt, deadline, wish, is_honoured, failure, created
            """,
            [.id(row.id), .text(owner), .text(row.label), .text(row.state), .time(until)]
        ).map(self.row)
    }

    /// Leads to the label of a wish; keeps the lease.
    static func honour(_ row: JobRow, owner: String, until: Instant, _ connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE job SET label = $3, attempt = 0, failure = NULL, is_honoured = 1, due = $4 \
            WHERE id = $1 AND lease_owner = $2 AND wish = $5
            """,
            [.id(row.id), .text(owner), .text(row.label), .time(until), .optional(row.wish?.rawValue)]) == 1
    }

    /// Gives the lease back until `due`; until now when a wish came that `row` does not know of.
    static func release(_ row: JobRow, owner: String, due: Instant, now: Instant, _ connection: any Connection) throws
        -> Bool
    {
        try connection.execute(
            """
            UPDATE job SET state = $3, attempt = $4, failure = $5, lease_owner = NULL, \
            due = CASE WHEN wish <> $8 AND is_honoured = 0 THEN CAST($7 AS BIGINT) ELSE CAST($6 AS BIGINT) END \
            WHERE id = $1 AND lease_owner = $2
            """,
            [
                .id(row.id), .text(owner), .text(row.state), .int(Int64(row.attempt)), .optional(row.failure),
                .time(due), .time(now), .text(row.wish?.rawValue ?? ""),
            ]) == 1
    }

    static func remove(_ id: ID<JobRow>, owner: String, _ connection: any Connection) throws -> Bool {
        try connection.execute("DELETE FROM job WHERE id = $1 AND lease_owner = $2", [.id(id), .text(owner)]) == 1
    }

    // MARK: For people and tests

    package static func due(_ id: ID<JobRow>, _ connection: any Connection) throws -> Instant? {
        try connection.row("SELECT due FROM job WHERE id = $1", [.id(id)])?.time(0)
    }

    package static func list(subject: String, _ connection: any Connection) throws -> [JobRow] {
        try connection.rows(
            """
            SELECT id, kind, subject, label, state, attempt, deadline, wish, is_honoured, failure, created FROM job \
            WHERE subject = $1 ORDER BY created, id
            """,
            [.text(subject)]
        ).map(row)
    }
}
