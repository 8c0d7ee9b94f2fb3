// SPDX-License-Identifier: Apache-2.0
// Time in a test's hand.

import Core
import Synchronization

package final class ManualClock: Clock {
    private let time: Mutex<Instant>
    package init(_ start: Instant = Instant(seconds: 1_800_000_000)) { time = Mutex(start) }
    package var now: Instant { time.withLock { $0 } }
    package func advance(seconds: Int64) { time.withLock { $0 = $0.adding(seconds: seconds) } }
    /// Never backwards.
    package func advance(to instant: Instant) { time.withLock { $0 = max($0, instant) } }
}
