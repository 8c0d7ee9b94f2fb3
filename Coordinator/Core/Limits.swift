// SPDX-License-Identifier: Apache-2.0
// Every bound of the coordinator, each with its reason. A bound that an operator must set is a configuration key
// instead.

package enum Limits {
    /// One request's head. Tokens, cookies and long queries fit four times over.
    package static let requestHeadBytes = 32 * 1024
    /// Header fields in one head; more is an attack or a loop.
    package static let requestHeaderFields = 100
    /// A JSON body of the services (OpenStack's own limit is 114,688 bytes).
    package static let jsonBodyBytes = 256 * 1024
    /// A whole head must arrive within this time, however slowly it trickles.
    package static let headSeconds = 10
    /// No progress on a body or a reply for this long ends the connection.
    package static let stallSeconds = 30
    /// A JSON body must be whole within this time.
    package static let jsonBodySeconds = 30
    /// A quiet keep-alive connection is kept this long.
    package static let idleSeconds = 75
    /// Open connections of one coordinator; each idle one costs under 2 KiB.
    package static let connections = 20_000
    /// After a refusal the client may still be sending; it is listened to this long, and this much, so that it can read
    /// the answer before the connection ends.
    package static let lingerSeconds = 5
    package static let lingerBytes = 16 << 20
    /// A body nobody asked for is read to its end when this little is left of it; otherwise the connection ends.
    package static let discardedBodyBytes = 64 * 1024
    /// One WebSocket message, its fragments together.
    package static let webSocketMessageBytes = 1 << 20
    /// On SIGTERM, requests under way may take this long.
    package static let drainSeconds = 20
    /// Rows of one page when the client names no limit, and the most it may ask for.
    package static let pageRows = 1000
    package static let largestPageRows = 10_000
    /// Writes waiting for the writer; more are refused with 503 at once, rather than late.
    package static let queuedWrites = 10_000
    /// Writes that share one commit.
    package static let groupCommit = 256
    /// A statement or a wait for a database connection may take this long.
    package static let databaseSeconds = 20
    /// A read of a whole table may take this long.
    package static let longReadSeconds = 600
    /// Jobs that one coordinator works at together; the rest wait their turn in the table.
    package static let jobsAtOnce = 64
    /// Password checks waiting for a hashing thread; at 30 ms each the last waits 10 s on one core.
    package static let queuedPasswordChecks = 320
    /// A password; hashing reads all of it, and nobody types more.
    package static let passwordBytes = 4096
    /// Users or projects whose tokens are ended one by one when a grant goes; where it touches more, the whole
    /// target's are.
    package static let revocationsOfOneGrant = 1000
    /// Users or groups read from a directory for one list; more are not shown.
    package static let directoryEntries = 10_000
    /// Connections to one domain's directory, each with a thread of its own.
    package static let directoryConnections = 16
    /// Answers of a directory that are kept, and for how long, so that checking tokens does not ask it each time.
    package static let directoryCacheEntries = 10_000
    package static let directoryCacheSeconds: Int64 = 30
    /// Names of a directory's users and groups that one page of role assignments looks up; each may ask the directory.
    package static let directoryNamesOfOnePage = 200
}
