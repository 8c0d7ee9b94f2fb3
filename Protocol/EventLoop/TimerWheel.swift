// SPDX-License-Identifier: Apache-2.0
// Time-outs of one event loop: a wheel of 64 ms ticks. Arming a timer that is queued already and falls due later only
// writes its time down; when its slot comes round it moves on. So a connection that re-arms with every request pays one
// store, and a tick costs what expires in it.

/// What a timer calls when it falls due.
package protocol TimerTarget: AnyObject {
    func timerFired()
}

package final class LoopTimer {
    /// Milliseconds of the loop's clock; 0 when not armed.
    package fileprivate(set) var due = 0
    fileprivate var target: (any TimerTarget)?
    fileprivate var slot = -1
    fileprivate var index = 0
    fileprivate var tick = 0

    package init(_ target: any TimerTarget) { self.target = target }
}

struct TimerWheel {
    private static let slots = 1024
    private static let shift = 6
    private var wheel = [[LoopTimer]](repeating: [], count: slots)
    /// One bit a slot that holds timers.
    private var filled = [UInt64](repeating: 0, count: slots / 64)
    private var current = 0
    private(set) var count = 0

    init(now: Int) { current = now >> Self.shift }

    mutating func arm(_ timer: LoopTimer, at due: Int) {
        timer.due = max(due, 1)
        let tick = tickOf(due)
        if timer.slot >= 0 {
            if timer.tick <= tick { return }
            remove(timer)
        }
        insert(timer, tick)
    }

    /// The timer fires no more and lets go of its target.
    mutating func cancel(_ timer: LoopTimer) {
        timer.due = 0
        timer.target = nil
        if timer.slot >= 0 { remove(timer) }
    }

    private func tickOf(_ due: Int) -> Int {
        let tick = (due + (1 << Self.shift) - 1) >> Self.shift
        return min(max(tick, current + 1), current + Self.slots - 1)
    }

    private mutating func insert(_ timer: LoopTimer, _ tick: Int) {
        let slot = tick & (Self.slots - 1)
        timer.slot = slot
        timer.tick = tick
        timer.index = wheel[slot].count
        wheel[slot].append(timer)
        filled[slot >> 6] |= 1 << UInt64(slot & 63)
        count += 1
    }

    private mutating func remove(_ timer: LoopTimer) {
        let slot = timer.slot
        let last = wheel[slot].removeLast()
        if last !== timer {
            wheel[slot][timer.index] = last
            last.index = timer.index
        }
        if wheel[slot].isEmpty { filled[slot >> 6] &= ~(1 << UInt64(slot & 63)) }
        timer.slot = -1
        count -= 1
    }

    /// The timers that are due at `now`, taken out of the wheel.
    mutating func expire(now: Int) -> [any TimerTarget] {
        let last = now >> Self.shift
        if count == 0 || last <= current {
            current = max(current, last)
            return []
        }
        var due: [any TimerTarget] = []
        let first = max(current + 1, last - Self.slots + 1)
        current = last
        for tick in first...last {
            let slot = tick & (Self.slots - 1)
            if wheel[slot].isEmpty { continue }
            for timer in wheel[slot] {
                remove(timer)
                if timer.due == 0 { continue }
                if timer.due > now {
                    insert(timer, tickOf(timer.due))
                } else if let target = timer.target {
                    timer.due = 0
                    due.append(target)
                }
            }
        }
        return due
    }

    /// Milliseconds until a slot with timers comes round; nil when there is none.
    func wait(now: Int) -> Int? {
        if count == 0 { return nil }
        for ahead in 1...(Self.slots / 64 + 1) {
            // Word by word from the slot after the current one; the first word is cut off below it.
            let start = (current + 1) & (Self.slots - 1)
            let word = ((start >> 6) + ahead - 1) & (Self.slots / 64 - 1)
            var bits = filled[word]
            if ahead == 1 { bits &= ~UInt64(0) << UInt64(start & 63) }
            if bits == 0 { continue }
            let slot = word << 6 + bits.trailingZeroBitCount
            let distance = (slot - start) & (Self.slots - 1)
            return max(0, (current + 1 + distance) << Self.shift - now)
        }
        return 0
    }
}
