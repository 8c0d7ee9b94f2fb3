// SPDX-License-Identifier: Apache-2.0

import Core
import Crypto
import Database
import HTTP
import JSON
import Testing

@testable import Identity

@Suite struct PasswordSignInTests {
    private func status(_ cloud: IdentityFixture, _ id: String, _ password: String) async throws -> String {
        let users = UserService(cloud.environment)
        let tally = StatementTally()
        do {
            let user = try await users.find(ID(id))
            try await StatementTally.$current.withValue(tally) { try await users.signIn(user, password: password) }
            return "in, \(tally.writes) written"
        } catch let error as CloudError {
            guard error.kind == .unauthorized else { throw error }
            return error.message.contains("expired") ? "expired" : "refused"
        }
    }

    @Test(arguments: TestEngine.available)
    func `the right password lets in and writes nothing`(_ engine: TestEngine) async throws {
        try await withCloud(engine, { $0.lockoutAttempts = 3 }) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "secret"])
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
            #expect(try await status(cloud, id, "Secret") == "refused")
            #expect(try await status(cloud, id, "secret") == "in, 1 written")
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
            #expect(try await status(cloud, id, "") == "refused")
            #expect(try await status(cloud, "nobody", "secret") == "refused")
        }
    }

    @Test(arguments: TestEngine.available)
    func `a user without a password, a disabled one and one of a disabled domain stay out`(
        _ engine: TestEngine
    ) async throws {
        try await withCloud(engine) { cloud async throws in
            let bare = try await cloud.makeID("/v3/users", "user", ["name": "bare"])
            #expect(try await status(cloud, bare, "") == "refused")
            let id = try await cloud.makeID(
                "/v3/users", "user", ["name": "alice", "password": "secret", "domain_id": .string(Places.away.text)])
            try await cloud.perform(.patch, "/v3/users/\(id)", as: .systemAdmin, ["user": ["enabled": false]])
            #expect(try await status(cloud, id, "secret") == "refused")
            try await cloud.perform(.patch, "/v3/users/\(id)", as: .systemAdmin, ["user": ["enabled": true]])
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
            try await cloud.environment.database.write("test.disable") {
                try $0.execute("UPDATE project SET enabled = 0 WHERE id = $1", [.id(Places.away)])
            }
            #expect(try await status(cloud, id, "secret") == "refused")
        }
    }

    @Test(arguments: TestEngine.available)
    func `failures lock out for a while, and enabling the user ends it`(_ engine: TestEngine) async throws {
        try await withCloud(
            engine,
            {
                $0.lockoutAttempts = 2; $0.lockoutSeconds = 5
            }
        ) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "secret"])
            for _ in 0..<2 { #expect(try await status(cloud, id, "wrong") == "refused") }
            #expect(try await status(cloud, id, "secret") == "refused")
            cloud.clock.advance(seconds: 6)
            #expect(try await status(cloud, id, "wrong") == "refused")
            #expect(try await status(cloud, id, "secret") == "in, 1 written")
            for _ in 0..<2 { _ = try await status(cloud, id, "wrong") }
            #expect(try await status(cloud, id, "secret") == "refused")
            try await cloud.perform(.patch, "/v3/users/\(id)", as: .systemAdmin, ["user": ["enabled": true]])
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
            let exempt: JSON = ["user": ["options": ["ignore_lockout_failure_attempts": true]]]
            try await cloud.perform(.patch, "/v3/users/\(id)", as: .systemAdmin, exempt)
            for _ in 0..<5 { _ = try await status(cloud, id, "wrong") }
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
        }
    }

    @Test func `guesses made side by side are counted before any of them gets in`() async throws {
        try await withCloud(
            .sqlite,
            {
                $0.lockoutAttempts = 2; $0.lockoutSeconds = 60
            }
        ) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "secret"])
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for guess in ["a", "b", "c", "d", "e", "f", "secret"] {
                    group.addTask { try await status(cloud, id, guess) }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            // One thread hashes, first come first served, so two failures at least are counted before the last guess
            // is looked at, unless it happened to be among the first two.
            let user = try await cloud.environment.database.read("test") { try UserStore.find(ID(id), $0) }
            if outcomes.contains(where: { $0.hasPrefix("in") }) {
                #expect((user?.failedAttempts ?? 0) < 7)
            } else {
                #expect(try await status(cloud, id, "secret") == "refused")
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `an expired password tells so, but only who knows it`(_ engine: TestEngine) async throws {
        try await withCloud(engine, { $0.passwordExpiresDays = 10 }) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "secret"])
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
            cloud.clock.advance(days: 10)
            #expect(try await status(cloud, id, "secret") == "expired")
            #expect(try await status(cloud, id, "wrong") == "refused")
            let exempt: JSON = ["user": ["options": ["ignore_password_expiry": true]]]
            try await cloud.perform(.patch, "/v3/users/\(id)", as: .systemAdmin, exempt)
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
        }
    }

    @Test(arguments: TestEngine.available)
    func `who was away for too long is shown as disabled and stays out until enabled`(_ engine: TestEngine) async throws
    {
        try await withCloud(engine, { $0.inactiveDays = 30 }) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "secret"])
            cloud.clock.advance(days: 20)
            #expect(try await status(cloud, id, "secret") == "in, 1 written")
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
            cloud.clock.advance(days: 29)
            #expect(try await cloud.perform(.get, "/v3/users/\(id)", as: .systemAdmin).json["user"]?["enabled"] == true)
            cloud.clock.advance(days: 1)
            #expect(
                try await cloud.perform(.get, "/v3/users/\(id)", as: .systemAdmin).json["user"]?["enabled"] == false)
            #expect(try await status(cloud, id, "secret") == "refused")
            try await cloud.perform(.patch, "/v3/users/\(id)", as: .systemAdmin, ["user": ["enabled": true]])
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
            cloud.clock.advance(days: 60)
            try await cloud.perform(
                .patch, "/v3/users/\(id)", as: .systemAdmin, ["user": ["options": ["ignore_user_inactivity": true]]])
            #expect(try await cloud.perform(.get, "/v3/users/\(id)", as: .systemAdmin).json["user"]?["enabled"] == true)
        }
    }

    @Test(arguments: TestEngine.available)
    func `a hash of another strength is renewed at the next sign-in`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "secret"])
            let old = try PasswordHasher(.bcrypt(cost: 4)).hash("secret")
            try await cloud.environment.database.write("test.hash") {
                try $0.execute("UPDATE user_password SET hash = $1 WHERE user_id = $2", [.text(old), .text(id)])
            }
            #expect(try await status(cloud, id, "secret") == "in, 1 written")
            let stored = try await cloud.environment.database.read("test.hash") {
                try PasswordStore.list(of: ID(id), limit: 5, $0)
            }
            #expect(stored.count == 1 && stored[0].hash.hasPrefix("$argon2id$"))
            #expect(try await status(cloud, id, "secret") == "in, 0 written")
        }
    }
}

@Suite struct PasswordChangeTests {
    private func change(_ cloud: IdentityFixture, _ id: String, _ old: String, _ new: String) async throws -> Reply {
        try await cloud.perform(
            .post, "/v3/users/\(id)/password", ["user": ["original_password": .string(old), "password": .string(new)]])
    }

    @Test(arguments: TestEngine.available)
    func `a user changes the password with the present one, and the tokens end`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "one"])
            #expect(try await change(cloud, id, "wrong", "two").status == 401)
            #expect(try await change(cloud, "nobody", "one", "two").status == 401)
            #expect(cloud.revocations.isEmpty)
            #expect(try await change(cloud, id, "one", "two").status == 204)
            #expect(cloud.revocations == [.user(ID(id))])
            #expect(try await change(cloud, id, "one", "three").status == 401)
            #expect(try await change(cloud, id, "two", "one").status == 204)
        }
    }

    @Test func `a bad change is refused by the field`() async throws {
        try await withCloud { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "one"])
            for (body, field) in [
                (["user": ["password": "x"]], "original_password"),
                (["user": ["original_password": "one"]], "password"),
                (["user": ["original_password": 1, "password": "x"]], "original_password"),
                (["user": ["original_password": "one", "password": "x", "more": 1]], "more"), ([:], "user"),
                (["user": ["original_password": "one", "password": ""]], "Password"),
            ] as [(JSON, String)] {
                let reply = try await cloud.perform(.post, "/v3/users/\(id)/password", body)
                #expect(reply.status == 400, "\(body.text) answered \(reply.status)")
                #expect(reply.message.contains(field), "\(body.text): \(reply.message)")
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `former passwords may not come back while history remembers them`(_ engine: TestEngine) async throws {
        try await withCloud(engine, { $0.passwordHistory = 2 }) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "one"])
            #expect(try await change(cloud, id, "one", "one").status == 400)
            #expect(try await change(cloud, id, "one", "two").status == 204)
            let repeated = try await change(cloud, id, "two", "one")
            #expect(repeated.status == 400)
            #expect(repeated.message.contains("must be unique is 2"))
            #expect(try await change(cloud, id, "two", "three").status == 204)
            #expect(try await change(cloud, id, "three", "one").status == 204)
            let kept = try await cloud.environment.database.read("test") {
                try PasswordStore.list(of: ID(id), limit: 9, $0)
            }
            #expect(kept.count == 2)
            // An administrator's reset is free of it.
            let reset = try await cloud.perform(
                .patch, "/v3/users/\(id)", as: .systemAdmin, ["user": ["password": "one"]])
            #expect(reset.status == 200)
        }
    }

    @Test(arguments: TestEngine.available)
    func `a password that was set for a user must be changed at first use`(_ engine: TestEngine) async throws {
        try await withCloud(engine, { $0.changePasswordOnFirstUse = true }) { cloud async throws in
            let users = UserService(cloud.environment)
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "one"])
            await #expect(throws: CloudError.self) {
                try await users.signIn(try await users.find(ID(id)), password: "one")
            }
            #expect(try await change(cloud, id, "one", "two").status == 204)
            try await users.signIn(try await users.find(ID(id)), password: "two")
            let reset = try await cloud.perform(
                .patch, "/v3/users/\(id)", as: .systemAdmin, ["user": ["password": "three"]])
            let expires = try #require(reset.json["user"]?["password_expires_at"]?.string)
            #expect(expires.hasPrefix(String(cloud.clock.now.text.prefix(19))) && !expires.hasSuffix("Z"))
            await #expect(throws: CloudError.self) {
                try await users.signIn(try await users.find(ID(id)), password: "three")
            }
        }
    }

    @Test func `minimum age, lock and pattern hold for the user's own change`() async throws {
        try await withCloud(
            .sqlite,
            {
                $0.passwordMinimumAgeDays = 1
                $0.passwordRegex = "^[a-z ']{3,}"
            }
        ) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice", "password": "one"])
            #expect(try await change(cloud, id, "one", "UPPER").status == 400)
            #expect(try await change(cloud, id, "one", "two").status == 204)
            #expect(try await change(cloud, id, "two", "three").status == 400)
            cloud.clock.advance(seconds: 86_401)
            #expect(try await change(cloud, id, "two", "three").status == 204)
            cloud.clock.advance(seconds: 86_401)
            try await cloud.perform(
                .patch, "/v3/users/\(id)", as: .systemAdmin, ["user": ["options": ["lock_password": true]]])
            #expect(try await change(cloud, id, "three", "four").status == 400)
            let weak = try await cloud.perform(
                .post, "/v3/users", as: .systemAdmin, ["user": ["name": "bob", "password": "B"]])
            #expect(weak.status == 400)
        }
    }
}
