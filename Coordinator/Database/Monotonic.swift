// SPDX-License-Identifier: Apache-2.0
// Nanoseconds of a clock that no one sets: for deadlines and for how long something took.

import Glibc

enum Monotonic {
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    static func after(seconds: Int) -> UInt64 { now &+ UInt64(seconds) &* 1_000_000_000 }

    /// Blocks this thread; only for threads of our own.
    static func sleep(milliseconds: Int) {
        usleep(UInt32(clamping: milliseconds * 1000))
    }
}
