// SPDX-License-Identifier: Apache-2.0
// Time as microseconds since 1970, UTC. Written and read without Foundation: its formatters bring ICU in.

import CSystem
import Glibc

package struct Instant: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }
    /// Times too far off to be counted become the farthest that can be.
    package init(seconds: Int64) { microseconds = Self.product(seconds, 1_000_000) }

    /// Whole seconds, rounded towards the past.
    package var seconds: Int64 { microseconds >= 0 ? microseconds / 1_000_000 : -((-1 - microseconds) / 1_000_000) - 1 }
    package static func < (a: Instant, b: Instant) -> Bool { a.microseconds < b.microseconds }
    package func adding(seconds: Int64) -> Instant {
        let (sum, isTooFar) = microseconds.addingReportingOverflow(Self.product(seconds, 1_000_000))
        return Instant(microseconds: isTooFar ? (seconds < 0 ? .min : .max) : sum)
    }
    package func adding(days: Int64) -> Instant { adding(seconds: Self.product(days, 86_400)) }

    private static func product(_ count: Int64, _ unit: Int64) -> Int64 {
        let (value, isTooFar) = count.multipliedReportingOverflow(by: unit)
        return isTooFar ? (count < 0 ? .min : .max) : value
    }
    /// The same time with the fraction cut off.
    package var wholeSecond: Instant { Instant(seconds: seconds) }

    /// "2026-11-21T10:30:00.000000Z"
    package var text: String { format(fraction: true) }
    /// "2026-11-21T10:30:00Z"
    package var shortText: String { format(fraction: false) }

    /// The first and the last time with a year of four digits: what is beyond them is written as they are.
    private static let written = -62_167_219_200_000_000...253_402_300_799_999_999 as ClosedRange<Int64>

    private func format(fraction: Bool) -> String {
        let microseconds = min(max(microseconds, Self.written.lowerBound), Self.written.upperBound)
        let seconds = Instant(microseconds: microseconds).seconds
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let date = Self.civil(days)
        let rest = seconds - days * 86_400
        return String(unsafeUninitializedCapacity: 27) { out in
            var at = 0
            func put(_ value: Int64, _ width: Int) {
                var value = value
                for i in stride(from: width - 1, through: 0, by: -1) {
                    out[at + i] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
                    value /= 10
                }
                at += width
            }
            func mark(_ character: Unicode.Scalar) {
                out[at] = UInt8(ascii: character)
                at += 1
            }
            put(date.year, 4); mark("-"); put(date.month, 2); mark("-"); put(date.day, 2); mark("T")
            put(rest / 3600, 2); mark(":"); put(rest / 60 % 60, 2); mark(":"); put(rest % 60, 2)
            if fraction { mark("."); put(microseconds - seconds * 1_000_000, 6) }
            mark("Z")
            return at
        }
    }

    /// Reads ISO 8601 as OpenStack clients write it: "T" or a space, an optional fraction, and "Z", an offset or
    /// nothing.
    package init?(text: String) {
        var reader = DigitReader(Array(text.utf8))
        guard let year = reader.digits(4), reader.take("-"), let month = reader.digits(2), reader.take("-"),
            let day = reader.digits(2), (1...12).contains(month), day >= 1, day <= Self.daysIn(month, year)
        else { return nil }
        var seconds = Self.days(year, month, day) * 86_400
        var fraction: Int64 = 0
        if reader.take("T") || reader.take(" ") {
            guard let hour = reader.digits(2), reader.take(":"), let minute = reader.digits(2), hour < 24, minute < 60
            else { return nil }
            seconds += hour * 3600 + minute * 60
            if reader.take(":") {
                guard let second = reader.digits(2), second < 61 else { return nil }
                seconds += second
            }
            if reader.take(".") {
                guard let value = reader.fraction() else { return nil }
                fraction = value
            }
            if !reader.take("Z"), !reader.isAtEnd {
                let isWest = reader.take("-")
                guard isWest || reader.take("+"), let hours = reader.digits(2) else { return nil }
                _ = reader.take(":")
                guard let minutes = reader.digits(2), hours < 24, minutes < 60 else { return nil }
                seconds += (hours * 3600 + minutes * 60) * (isWest ? 1 : -1)
            }
        }
        guard reader.isAtEnd else { return nil }
        microseconds = seconds * 1_000_000 + fraction
    }

    private struct DigitReader {
        let text: [UInt8]
        var at = 0
        init(_ text: [UInt8]) { self.text = text }
        var isAtEnd: Bool { at == text.count }
        mutating func take(_ mark: Unicode.Scalar) -> Bool {
            guard at < text.count, text[at] == UInt8(ascii: mark) else { return false }
            at += 1
            return true
        }
        mutating func digits(_ count: Int) -> Int64? {
            guard at + count <= text.count else { return nil }
            var value: Int64 = 0
            for byte in text[at..<at + count] {
                guard byte &- 0x30 < 10 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            at += count
            return value
        }
        mutating func fraction() -> Int64? {
            var value: Int64 = 0
            var count = 0
            while at < text.count, text[at] &- 0x30 < 10 {
                if count < 6 { value = value * 10 + Int64(text[at] - 0x30) }
                count += 1
                at += 1
            }
            guard count > 0 else { return nil }
            for _ in min(count, 6)..<6 { value *= 10 }
            return value
        }
    }

    private static func daysIn(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 of a date of the Gregorian calendar, by eras of 400 years.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

/// Where the time comes from: the machine, or a test's hand.
package protocol Clock: Sendable {
    var now: Instant { get }
}

package struct SystemClock: Clock {
    package init() {}
    package var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}

/// Where randomness comes from: the kernel, or a seed in a test.
package protocol Entropy: Sendable {
    func bytes(_ count: Int) -> [UInt8]
}

package struct SystemEntropy: Entropy {
    package init() {}
    package func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
            let failed = csystem_random(out.baseAddress, count) != 0
            precondition(!failed, "the kernel gives no random bytes")
            initialized = count
        }
    }
}
