// SPDX-License-Identifier: Apache-2.0
// A kind of durable work: steps by label, and a state that is stored between them. Any coordinator may run any step,
// again and again until its end is stored, so a step is idempotent and has one effect; what belongs together with the
// advance to the next label (rows of the service) is handed back to be written in the same transaction.
//
//      queued ──lease──► running ──next(label)──► running … ──done──► gone
//        ▲                 │  │
//        │  wait, retry    │  └── deadline passed, or failed(reason) ──► given up: parked with its reason, in words
//        └─────────────────┘                                                │
//      a wish (delete, cancel) leads from every label, also from there, ────┘ to the label the kind names for it
//
// Once a wish is honoured there is no deadline any more: undoing goes on until it is done.

import Core
import Database
import JSON

/// What a job keeps between its steps.
package protocol JobState: Sendable {
    init(json: JSON) throws
    var json: JSON { get }
}

package enum JobWish: String, Sendable { case delete, cancel }

package protocol Job: Sendable {
    associatedtype State: JobState
    /// The names of the steps, as they are stored: never renamed once released.
    associatedtype Label: RawRepresentable & CaseIterable & Hashable & Sendable where Label.RawValue == String

    /// "compute.create_server"; never renamed once released.
    static var kind: String { get }
    static var firstLabel: Label { get }
    /// How long it may try, from when it was queued; nil is for ever.
    static var timeLimitSeconds: Int64? { get }

    /// The step at a label. Cancelled when a wish comes or the lease is lost.
    func run(_ label: Label, _ state: inout State, _ context: JobContext) async throws -> JobNext<Label>

    /// Where undoing starts when a wish is honoured; nil when this wish changes nothing.
    func label(for wish: JobWish, at label: Label, _ state: State) -> Label?

    /// Records that the job has given up, in the transaction that parks it: the subject's fault, say. `reason` is for
    /// the user.
    func giveUp(_ reason: String, _ state: State, _ context: JobContext, _ connection: any Connection) throws
}

/// What a step may lead to. `writing` runs in the transaction that stores the advance.
package enum JobNext<Label: Sendable>: Sendable {
    package typealias Writing = @Sendable (any Connection) throws -> Void

    case next(Label, writing: Writing?)
    case done(writing: Writing?)
    /// The same label again, later: something outside is not there yet. No fault, no back-off.
    case wait(seconds: Int64)
    /// There is no point in trying on.
    case failed(reason: String)

    package static func next(_ label: Label) -> JobNext { .next(label, writing: nil) }
    package static var done: JobNext { .done(writing: nil) }
}

/// What a step knows of the job it belongs to.
package struct JobContext: Sendable {
    package let id: ID<JobRow>
    /// What the job is about, in the service's own words: "server:<id>".
    package let subject: String
    /// How often this step failed before.
    package let attempt: Int
    package let created: Instant
    package let now: Instant
    /// The same for every run of the same step: a repeat is known by it.
    package let commandID: String
}
