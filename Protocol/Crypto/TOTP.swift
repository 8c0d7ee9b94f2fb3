// SPDX-License-Identifier: Apache-2.0
// One-time passwords by time: RFC 6238 over RFC 4226, with HMAC-SHA1, the only digest authenticator apps agree on.

package enum TOTP {
    /// The code shown at `time` (seconds since 1970), `digits` (6 to 9) long.
    package static func code(secret: [UInt8], time: Int64, digits: Int = 6, step: Int64 = 30) -> String {
        code(secret: secret, count: time / max(step, 1), digits: digits)
    }

    /// Whether the code is the one of now, or of one of the `previous` steps before: clocks and fingers are slow.
    package static func matches(
        _ code: String, secret: [UInt8], time: Int64, previous: Int = 1, digits: Int = 6, step: Int64 = 30
    ) -> Bool {
        matchedStep(code, secret: secret, time: time, previous: previous, digits: digits, step: step) != nil
    }

    /// The number of the step whose code this is; remember it to refuse the same code a second time.
    package static func matchedStep(
        _ code: String, secret: [UInt8], time: Int64, previous: Int = 1, digits: Int = 6, step: Int64 = 30
    ) -> Int64? {
        let current = time / max(step, 1)
        var found: Int64?
        // Every step is compared, whichever matched: the time taken does not tell which.
        for back in 0...Int64(max(previous, 0)) {
            let count = current - back
            if ConstantTime.equal(code, self.code(secret: secret, count: count, digits: digits)), found == nil {
                found = count
            }
        }
        return found
    }

    private static func code(secret: [UInt8], count: Int64, digits: Int) -> String {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: count >> Int64(56 - 8 * $0)) }
        let hash = HMAC.sha1(key: secret, counter)
        let at = Int(hash[19] & 15)
        var number =
            UInt32(hash[at] & 0x7f) << 24 | UInt32(hash[at + 1]) << 16 | UInt32(hash[at + 2]) << 8
            | UInt32(hash[at + 3])
        let letters = (0..<min(max(digits, 6), 9)).map { _ in
            defer { number /= 10 }
            return UInt8(truncatingIfNeeded: 0x30 + number % 10)
        }
        return String(decoding: letters.reversed(), as: UTF8.self)
    }
}
