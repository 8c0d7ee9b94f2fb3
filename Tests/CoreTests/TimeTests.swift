// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

struct TimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000001Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"), (951_868_799_999_999, "2000-02-29T23:59:59.999999Z"),
            (951_868_800_000_000, "2000-03-01T00:00:00.000000Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (4_107_542_399_000_000, "2100-02-28T23:59:59.000000Z"),
            (1_709_164_800_000_000, "2024-02-29T00:00:00.000000Z"),
            (1_735_689_599_000_000, "2024-12-31T23:59:59.000000Z"),
            (-2_208_988_800_000_000, "1900-01-01T00:00:00.000000Z"),
            (-2_203_891_200_000_000, "1900-03-01T00:00:00.000000Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (2_147_483_648_000_000, "2038-01-19T03:14:08.000000Z"),
        ] as [(Int64, String)])
    func `times are written and read`(_ microseconds: Int64, _ text: String) {
        let time = Instant(microseconds: microseconds)
        #expect(time.text == text)
        #expect(time.shortText == text.prefix(19) + "Z")
        #expect(Instant(text: text) == time)
    }

    @Test func `every day of two leap cycles has its own date`() {
        var last = ""
        for day in -150_000..<150_000 as Range<Int64> {
            let time = Instant(seconds: day * 86_400)
            let text = time.shortText
            if day % 97 == 0 { #expect(Instant(text: text) == time) }
            #expect(text > last)
            last = text
        }
    }

    @Test(
        arguments: [
            ("2026-11-21T10:30:00Z", 1_795_257_000_000_000), ("2026-11-21 10:30:00", 1_795_257_000_000_000),
            ("2026-11-21T10:30", 1_795_257_000_000_000), ("2026-11-21T11:30:00+01:00", 1_795_257_000_000_000),
            ("2026-11-21T11:30:00+0100", 1_795_257_000_000_000), ("2026-11-21T05:00:00-05:30", 1_795_257_000_000_000),
            ("2026-11-21", 1_795_219_200_000_000), ("2026-11-21T10:30:00.5Z", 1_795_257_000_500_000),
            ("2026-11-21T10:30:00.123456789Z", 1_795_257_000_123_456),
            ("2026-11-21T10:30:00.1+00:00", 1_795_257_000_100_000),
        ] as [(String, Int64)])
    func `the forms that clients write are read`(_ text: String, _ microseconds: Int64) {
        #expect(Instant(text: text) == Instant(microseconds: microseconds))
    }

    @Test(arguments: [
        "", "2026", "2026-11", "2026-13-01", "2026-00-01", "2026-11-00", "2026-11-31", "2025-02-29", "2100-02-29",
        "26-11-21",
        "2026-11-21T", "2026-11-21T24:00", "2026-11-21T10:60", "2026-11-21T10:30:61", "2026-11-21T10:30:00.",
        "2026-11-21T10",
        "2026-11-21T10:30:00ZZ", "2026-11-21T10:30:00+", "2026-11-21T10:30:00+24:00", "2026-11-21T10:30:00+01:60",
        "2026-11-21T10:30:00 Z", " 2026-11-21", "2026-11-21Z", "2026/11/21", "+026-11-21", "２０２６-11-21",
        "2026-11-21T10:30:00.x",
    ])
    func `what is no time is refused`(_ text: String) {
        #expect(Instant(text: text) == nil)
    }

    @Test func `seconds are rounded towards the past`() {
        #expect(Instant(microseconds: -1).seconds == -1)
        #expect(Instant(microseconds: -1_000_000).seconds == -1)
        #expect(Instant(microseconds: -1_000_001).seconds == -2)
        #expect(Instant(microseconds: 999_999).seconds == 0)
        #expect(Instant(microseconds: -1).wholeSecond.text == "1969-12-31T23:59:59.000000Z")
        #expect(Instant(microseconds: .min).seconds == -9_223_372_036_855)
    }

    @Test func `times too far off stay the farthest there is`() {
        #expect(Instant(seconds: .max) == Instant(microseconds: .max))
        #expect(Instant(seconds: .min) == Instant(microseconds: .min))
        let now = Instant(seconds: 1_795_257_000)
        #expect(now.adding(seconds: .max) == Instant(microseconds: .max))
        #expect(now.adding(days: .max) > now)
        #expect(Instant(microseconds: -5).adding(days: .min) == Instant(microseconds: .min))
        #expect(Instant(microseconds: .max).text == "9999-12-31T23:59:59.999999Z")
        #expect(Instant(microseconds: .min).shortText == "0000-01-01T00:00:00Z")
        #expect(now.adding(days: -1).adding(seconds: 86_400) == now)
    }

    @Test func `the machine's clock is of this century`() {
        let century = Instant(seconds: 1_704_067_200)..<Instant(seconds: 4_102_444_800)
        #expect(century.contains(SystemClock().now))
    }
}
