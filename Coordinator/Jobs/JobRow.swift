// SPDX-License-Identifier: Apache-2.0
// A job as the table holds it, and the pure decisions about it: what to do with it next, and when to try again.

import Core
import JSON

package struct JobRow: Sendable, Equatable {
    package let id: ID<JobRow>
    package let kind: String
    package let subject: String
    package var label: String
    package var state: String
    package var attempt: Int
    package var deadline: Instant?
    package var wish: JobWish?
    /// The wish has led to its label; it is not looked at again.
    package var isHonoured: Bool
    /// What went wrong last, for people.
    package var failure: String?
    package let created: Instant

    /// Why there is no point in trying on, or nil.
    func lapse(now: Instant) -> String? {
        guard !isHonoured, let deadline, now >= deadline else { return nil }
        let hours = Double(deadline.microseconds - created.microseconds) / 3_600_000_000
        let allowed = hours >= 1 ? "\(Int(hours)) hours" : "\(Int(hours * 60)) minutes"
        let last = failure.map { " Last fault: \($0)" } ?? ""
        return "Gave up at \"\(label)\" after \(attempt) failed attempts: it did not succeed within \(allowed).\(last)"
    }
}

/// How long to wait after a fault: doubling from a second to a minute, with jitter so that many jobs that failed
/// together do not come back together.
enum BackOff {
    static let longestMilliseconds = 60_000

    /// `random` is from 0 up to 1.
    static func milliseconds(attempt: Int, random: Double) -> Int {
        let whole = min(longestMilliseconds, 1000 << min(max(attempt - 1, 0), 6))
        return whole / 2 + Int(Double(whole / 2) * random)
    }
}
