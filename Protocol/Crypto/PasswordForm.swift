// SPDX-License-Identifier: Apache-2.0
// What a stored password hash says of itself. Every cost in it is bounded here: a hash brought in from elsewhere must
// not be able to occupy a hashing thread for minutes or take a gigabyte.

enum PasswordForm {
    static let mostMemoryKiB = 256 * 1024
    static let mostBcryptCost = 16
    private static let mostRounds = 10_000_000

    case argon2
    case bcrypt(cost: Int)
    case bcryptSHA256(BcryptSHA256)
    case sha512Crypt
    case scrypt(Scrypt)
    case pbkdf2(PBKDF2)

    /// Nil when it is none that can be verified, or costs more than is allowed.
    init?(_ hash: String) {
        let parts = hash.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, parts[0].isEmpty else { return nil }
        switch parts[1] {
        case "argon2id", "argon2i":
            guard parts.count == 6, let costs = Self.numbers(parts[3], ["m", "t", "p"]),
                (8...Self.mostMemoryKiB).contains(costs[0]), (1...100).contains(costs[1]), (1...16).contains(costs[2])
            else { return nil }
            self = .argon2
        case "2a", "2b", "2y":
            guard parts.count == 4, let cost = Self.number(parts[2], 4...Self.mostBcryptCost), parts[3].utf8.count == 53
            else { return nil }
            self = .bcrypt(cost: cost)
        case "bcrypt-sha256":
            guard parts.count == 5, let form = BcryptSHA256(parts) else { return nil }
            self = .bcryptSHA256(form)
        case "6":
            if parts[2].hasPrefix("rounds="), Self.number(String(parts[2].dropFirst(7)), 1000...Self.mostRounds) == nil
            {
                return nil
            }
            self = .sha512Crypt
        case "scrypt":
            guard parts.count == 5, let form = Scrypt(parts) else { return nil }
            self = .scrypt(form)
        case "pbkdf2-sha512":
            guard parts.count == 5, let rounds = Self.number(parts[2], 1...Self.mostRounds),
                let form = PBKDF2(parts, rounds)
            else { return nil }
            self = .pbkdf2(form)
        default: return nil
        }
    }

    /// A plain decimal number within bounds.
    static func number(_ text: String, _ range: ClosedRange<Int>) -> Int? {
        guard !text.isEmpty, text.utf8.count < 12, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int(text), range.contains(value)
        else { return nil }
        return value
    }

    /// "m=19456,t=2,p=1" with exactly these names, in any order.
    static func numbers(_ text: String, _ names: [String]) -> [Int]? {
        var values: [String: Int] = [:]
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2, values[pair[0]] == nil, let value = number(pair[1], 0...Int(Int32.max)) else {
                return nil
            }
            values[pair[0]] = value
        }
        let found = names.compactMap { values[$0] }
        return found.count == names.count && values.count == names.count ? found : nil
    }

    /// Base 64 as passlib writes it: without padding, "." for "+".
    static func bytes(_ text: String) -> [UInt8]? {
        var letters = text.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "+") : $0 }
        guard !letters.contains(UInt8(ascii: "=")) else { return nil }
        while letters.count % 4 != 0 { letters.append(UInt8(ascii: "=")) }
        return letters.withUnsafeBufferPointer(Base64.decode)
    }
}
