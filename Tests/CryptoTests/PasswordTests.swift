// SPDX-License-Identifier: Apache-2.0
// The hashes written out here were made by other implementations.
import Testing

@testable import Crypto

struct PasswordTests {
    private let quick = PasswordHasher(.argon2id(memoryKiB: 64, passes: 1))
    private let quickBcrypt = PasswordHasher(.bcrypt(cost: 4))

    private static let foreign = [
        "$2a$04$ZwNpMeL5i9HjvtNSi5LaQ.83Q2L36F8GwTFUkAunzAoFdem.kA1KG",
        "$2b$04$/Fvxa1/LW9ALZhAzx8nMzO5EQFdCdpka7uAmXDBb7.QF9D1PNuyXy",
        "$2y$04$lq25eDlMpyv4FPhZQw4LxOphv.DYHVv46Wu.gbzBS5kgoM687cj.W",
        "$bcrypt-sha256$v=2,t=2b,r=4$xtJewsY.4Z2CL/r09LlmY.$J2YgKj.U1Xs.xtcDGXDG6jbcuGF.M0m",
        "$bcrypt-sha256$2b,4$xtJewsY.4Z2CL/r09LlmY.$K5Zknlk14ojBzrY3bAmxuTHBVbZvzYW",
        "$6$rounds=1000$saltsalt$4GMtaIz3E1AdDi2SmCokEW0ehi.HdxNDcL3fGE1XXuzvo6kbx7UOloZKONqEk5H3JrQA4NOfU8BmqFPrpGqwA1",
        "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
        "$scrypt$ln=16,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$nsM3ZndIutMwX+ymEFtmzzt3HCdhe+tBvJUhmMNb0vU",
        "$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$OM0FAoIqCVK1sWtxDiffVlBejtLa.ks4TP71JiecwuSZCG8iLbnlIEPOMoVX.i2B2wkSxj"
            + "Q8CRGR9OkNGuIPMQ",
    ]

    @Test(arguments: foreign)
    func `imported hashes verify their password and no other`(_ hash: String) {
        #expect(quick.verify("correct horse", hash))
        #expect(!quick.verify("correct horsE", hash))
        #expect(!quick.verify("", hash))
        #expect(!quick.verify("correct horse\0", hash))
        #expect(quick.needsRehash(hash))
    }

    @Test(arguments: ["correct horse", "", "pässwörd ✓", "a\0b", String(repeating: "x", count: 5000)])
    func `what was hashed verifies, and differs each time`(_ password: String) throws {
        for hasher in [quick, quickBcrypt] {
            let hash = try hasher.hash(password)
            #expect(hasher.verify(password, hash))
            #expect(!hasher.verify(password + "!", hash))
            #expect(!hasher.needsRehash(hash))
            #expect(try hasher.hash(password) != hash)
        }
    }

    @Test func `the form is what other software expects`() throws {
        #expect(try quick.hash("x").hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
        #expect(try quickBcrypt.hash("x").hasPrefix("$2b$04$"))
        let standard = try PasswordHasher().hash("x")
        #expect(standard.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(PasswordHasher().verify("x", standard))
    }

    @Test func `bcrypt never drops the end of a password it hashes`() throws {
        for count in [70, 71, 72, 73, 100] {
            let password = String(repeating: "x", count: count)
            let hash = try quickBcrypt.hash(password)
            #expect(hash.hasPrefix("$bcrypt-sha256$") == (count > 71))
            #expect(quickBcrypt.verify(password, hash))
            #expect(!quickBcrypt.verify(password + "x", hash))
            #expect(!quickBcrypt.verify(String(password.dropLast()), hash))
        }
        let zero = try quickBcrypt.hash("a\0b")
        #expect(!quickBcrypt.verify("a", zero) && !quickBcrypt.verify("a\0c", zero))
    }

    @Test func `a bcrypt hash made elsewhere keeps its own meaning past 72 bytes`() {
        let hash = "$2b$04$Dthd8AAHUKAJuw9H5skmkulTU8LKhEoDaoXUjpZTae1soLKCdKaaW"
        #expect(quickBcrypt.verify(String(repeating: "x", count: 72), hash))
        #expect(quickBcrypt.verify(String(repeating: "x", count: 90), hash))
        #expect(!quickBcrypt.verify(String(repeating: "x", count: 71), hash))
    }

    @Test func `a digested bcrypt hash made elsewhere verifies`() {
        let hash = "$bcrypt-sha256$v=2,t=2b,r=4$xtJewsY.4Z2CL/r09LlmY.$q4mFCU7bznwFF41D8NQrhdjeGj859le"
        #expect(quickBcrypt.verify(String(repeating: "y", count: 100), hash))
        #expect(!quickBcrypt.verify(String(repeating: "y", count: 99), hash))
        #expect(!quickBcrypt.needsRehash(hash))
    }

    @Test(arguments: [
        "", "$", "$$$$", "plain", "$1$salt$hash", "$2b$04$short",
        "$2b$99$/Fvxa1/LW9ALZhAzx8nMzO5EQFdCdpka7uAmXDBb7.QF9D1PNuyXy",
        "$2b$17$/Fvxa1/LW9ALZhAzx8nMzO5EQFdCdpka7uAmXDBb7.QF9D1PNuyXy",
        "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=64,t=1,p=1$x$y",
        "$argon2id$v=19$m=64,t=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA", "$6$rounds=999999999$salt$x",
        "$scrypt$ln=30,r=8,p=1$MDEyMw$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
        "$scrypt$ln=20,r=32,p=1$MDEyMw$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
        "$scrypt$ln=10,r=8,p=1$MDEyMw$", "$pbkdf2-sha512$99999999999$MDEy$MDEy", "$pbkdf2-sha512$0$MDEy$MDEy",
        "$bcrypt-sha256$v=3,t=2b,r=4$xtJewsY.4Z2CL/r09LlmY.$J2YgKj.U1Xs.xtcDGXDG6jbcuGF.M0m",
    ])
    func `a hash that cannot be read, or costs too much, fits no password`(_ hash: String) {
        #expect(!quick.verify("correct horse", hash))
        #expect(!quick.verify("", hash))
        #expect(quick.needsRehash(hash) && quickBcrypt.needsRehash(hash))
    }

    @Test func `a stronger or another setting asks for a new hash`() throws {
        let hash = try quick.hash("x")
        #expect(PasswordHasher(.argon2id(memoryKiB: 128, passes: 1)).needsRehash(hash))
        #expect(PasswordHasher(.argon2id(memoryKiB: 64, passes: 2)).needsRehash(hash))
        #expect(quickBcrypt.needsRehash(hash))
        #expect(quick.needsRehash(try quickBcrypt.hash("x")))
        #expect(PasswordHasher(.bcrypt(cost: 5)).needsRehash(try quickBcrypt.hash("x")))
    }

    @Test func `settings out of range are brought into it`() {
        #expect(PasswordHasher(.argon2id(memoryKiB: 0, passes: 0)).algorithm == .argon2id(memoryKiB: 8, passes: 1))
        #expect(PasswordHasher(.bcrypt(cost: 99)).algorithm == .bcrypt(cost: 16))
        #expect(PasswordHasher(.bcrypt(cost: 0)).algorithm == .bcrypt(cost: 4))
    }
}

struct PasswordPoolTests {
    @Test func `hashing and checking happen on its threads`() async throws {
        let pool = PasswordPool(PasswordHasher(.argon2id(memoryKiB: 64, passes: 1)), threads: 2, waiting: 100)
        let hash = try await pool.hash("secret")
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask {
                    (try? await pool.verify(number % 2 == 0 ? "secret" : "other", hash)) == (number % 2 == 0)
                }
            }
            for await isRight in group { #expect(isRight) }
        }
        try await pool.verifyNothing("secret")
        #expect(pool.waiting == 0)
    }

    @Test func `when the queue is full callers hear so at once`() async throws {
        let slow = PasswordHasher(.argon2id(memoryKiB: 65_536, passes: 4))
        let pool = PasswordPool(slow, threads: 1, waiting: 3)
        let outcomes = await withTaskGroup(of: String.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do {
                        try await pool.verifyNothing("x")
                        return "done"
                    } catch PasswordPoolError.busy { return "busy" } catch { return "\(error)" }
                }
            }
            return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(outcomes["done", default: 0] + outcomes["busy", default: 0] == 20)
        #expect(outcomes["done", default: 0] >= 3)
        #expect(outcomes["busy", default: 0] >= 1)
    }

    @Test func `after stop callers are refused`() async {
        let pool = PasswordPool(PasswordHasher(.bcrypt(cost: 4)), threads: 1, waiting: 3)
        pool.stop()
        await #expect(throws: PasswordPoolError.busy) { try await pool.hash("x") }
    }
}
