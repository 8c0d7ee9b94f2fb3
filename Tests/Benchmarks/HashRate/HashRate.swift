// SPDX-License-Identifier: Apache-2.0
// What one password check costs by itself, on one thread: the measure that sign-in by password is held against.

import Crypto
import Glibc

@main
struct HashRate {
    static func main() {
        let hasher = PasswordHasher()
        guard let hash = try? hasher.hash("correct horse battery staple") else { return print("no memory") }
        let rounds = 40
        var before = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before)
        for _ in 0..<rounds where !hasher.verify("correct horse battery staple", hash) {
            return print("a check failed")
        }
        var after = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after)
        let seconds = Double(after.tv_sec - before.tv_sec) + Double(after.tv_nsec - before.tv_nsec) / 1e9
        print(seconds / Double(rounds) * 1000)
    }
}
