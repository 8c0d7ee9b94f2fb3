// SPDX-License-Identifier: Apache-2.0
// Counts the statements run on behalf of one request or job; the budget tests and the request log read it. The database
// takes the task's tally when it is called and counts into it wherever the statements run.

/// Statements run on behalf of one request or job.
package final class StatementTally: @unchecked Sendable {
    // Safe: a request is one task, and its statements run one after the other; the engine's hand-over orders the
    // accesses.
    package var reads = 0
    package var writes = 0
    package var count: Int { reads + writes }
    package init() {}

    @TaskLocal package static var current: StatementTally?
}
