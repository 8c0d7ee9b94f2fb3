// SPDX-License-Identifier: Apache-2.0
// Passwords of our own users: checking one at sign-in, setting and changing them. All hashing is done by the password
// pool; no database connection is held meanwhile.
//
// What a refused caller learns: that the password is expired, and only who knew it. That a user does not exist, is
// disabled or locked out answers with the same words, after the same time, as a wrong password.

import Core
import Crypto
import Database
import HTTP

struct PasswordService: Sendable {
    let environment: IdentityEnvironment
    let policy: PasswordPolicy

    init(_ environment: IdentityEnvironment) {
        self.environment = environment
        policy = PasswordPolicy(environment.settings)
    }

    static var refused: CloudError { .unauthorized("The request you have made requires authentication.") }

    static func expired(_ user: UserRecord) -> CloudError {
        .unauthorized("The password is expired and needs to be changed for user: \(user.id).")
    }

    // MARK: Sign-in

    /// Takes as long as checking a password does.
    func pretendToVerify(_ password: String) async throws {
        guard password.utf8.count <= Limits.passwordBytes else { return }
        try await pooled { try await environment.passwords.verifyNothing(password) }
    }

    /// For a user that does not exist.
    func refuse(_ password: String) async throws -> Never {
        try await pretendToVerify(password)
        throw Self.refused
    }

    /// Writes nothing when all is well, but for what failures, inactivity or a change of the hash's strength ask for.
    func signIn(_ user: UserRecord, _ password: String) async throws {
        let current = try await verify(user, password)
        if policy.isExpired(current, of: user, now: environment.clock.now) { throw Self.expired(user) }
    }

    /// The password was right, the user may sign in; it may be expired all the same.
    private func verify(_ user: UserRecord, _ password: String) async throws -> StoredPassword {
        let state = try await state(of: user)
        guard let state, let current = state.password, !isLockedOut(user, state),
            password.utf8.count <= Limits.passwordBytes
        else { try await refuse(password) }
        guard try await pooled({ try await environment.passwords.verify(password, current.hash) }) else {
            try await recordFailure(user)
            throw Self.refused
        }
        // Guesses made side by side were all let in before the first of them was counted.
        if policy.countsFailures, let latest = try await self.state(of: user), isLockedOut(user, latest) {
            throw Self.refused
        }
        let now = environment.clock.now
        guard state.isUserEnabled, state.isDomainEnabled, !user.isInactive(environment.settings, now: now) else {
            throw Self.refused
        }
        try await recordSuccess(user, state, now: now)
        await renewHash(of: current, user, password)
        return current
    }

    private func state(of user: UserRecord) async throws -> PasswordStore.SignInState? {
        try await environment.database.read("password.sign_in") { try PasswordStore.signInState(of: user.id, $0) }
    }

    private func isLockedOut(_ user: UserRecord, _ state: PasswordStore.SignInState) -> Bool {
        var user = user
        user.failedAttempts = state.failedAttempts
        user.lastFailed = state.lastFailed
        return policy.isLockedOut(user, now: environment.clock.now)
    }

    private func recordFailure(_ user: UserRecord) async throws {
        guard policy.countsFailures, !user.has(.ignoreLockout) else { return }
        let now = environment.clock.now
        let (most, since) = (policy.mostFailures, policy.lockoutBegan(now))
        try await environment.database.write("password.failure") {
            try UserStore.recordFailure(user.id, at: now, most: most, since: since, $0)
        }
    }

    private func recordSuccess(_ user: UserRecord, _ state: PasswordStore.SignInState, now: Instant) async throws {
        let hasFailures = state.failedAttempts > 0
        let isNewDay = environment.settings.inactiveDays > 0 && user.lastActiveDay != now.day
        guard hasFailures || isNewDay else { return }
        try await environment.database.write("password.success") { connection in
            if hasFailures { try UserStore.clearFailures(user.id, connection) }
            if isNewDay { try UserStore.setLastActive(user.id, day: now.day, connection) }
        }
    }

    /// After the configured strength changed. A sign-in does not fail for it.
    private func renewHash(of password: StoredPassword, _ user: UserRecord, _ text: String) async {
        guard environment.passwords.hasher.needsRehash(password.hash) else { return }
        do {
            let hash = try await environment.passwords.hash(text)
            try await environment.database.write("password.rehash") {
                try PasswordStore.replaceHash(password.hash, with: hash, of: user.id, created: password.created, $0)
            }
        } catch {
            environment.log.write(.debug, "a password's hash was not renewed") { w in
                w.field("user", user.id.text)
                w.field("error", "\(error)")
            }
        }
    }

    // MARK: Setting

    /// Checks and hashes a password that an administrator gives; stored by `store` within the write that it belongs to.
    func hash(_ password: String) async throws -> String {
        try policy.check(password)
        return try await pooled { try await environment.passwords.hash(password) }
    }

    /// `created` is later than the present password's, however close the two changes are.
    func store(
        _ hash: String, of user: UserRecord, isSelfService: Bool, now: Instant, _ connection: any Connection
    ) throws -> StoredPassword {
        let present = try PasswordStore.list(of: user.id, limit: 1, connection).first
        let created = max(now, present.map { Instant(microseconds: $0.created.microseconds + 1) } ?? now)
        let password = StoredPassword(
            hash: hash, created: created, expires: policy.expiry(setAt: now, isSelfService: isSelfService, for: user),
            isSelfService: isSelfService)
        try PasswordStore.insert(password, of: user.id, keeping: policy.kept, connection)
        return password
    }

    /// A user changes the own password, with the present one as the proof; it may be expired. All tokens of the user
    /// end.
    func change(of user: UserRecord, _ change: PasswordChange, by call: Call) async throws {
        let current = try await verify(user, change.original)
        try policy.check(change.password)
        try policy.checkMayChange(current, of: user, now: environment.clock.now)
        try await checkHistory(of: user, change.password)
        let hash = try await pooled { try await environment.passwords.hash(change.password) }
        let now = environment.clock.now
        try await environment.change("password.change", by: call) { connection, changes in
            // Of two changes that start from the same password one wins.
            guard try PasswordStore.list(of: user.id, limit: 1, connection).first?.created == current.created else {
                throw Self.refused
            }
            _ = try store(hash, of: user, isSelfService: true, now: now, connection)
            changes.record(.updated, "user", user.id.text, domain: user.domain, touching: [.user(user.id)])
            changes.revoke(.user(user.id))
        }
    }

    private func checkHistory(of user: UserRecord, _ password: String) async throws {
        let count = policy.history
        guard count > 0 else { return }
        let former = try await environment.database.read("password.history") {
            try PasswordStore.list(of: user.id, limit: count, $0)
        }
        for former in former {
            if try await pooled({ try await environment.passwords.verify(password, former.hash) }) {
                throw policy.isRepeated
            }
        }
    }

    // MARK: The pool

    /// A full queue is told at once, rather than late.
    private func pooled<T: Sendable>(_ work: () async throws -> T) async throws -> T {
        do {
            return try await work()
        } catch PasswordPoolError.busy {
            var error = CloudError(.unavailable, "Too many sign-ins wait at this moment. Try again in a few seconds.")
            error.headers = [(name: "Retry-After", value: "2")]
            throw error
        } catch PasswordError.resources {
            var error = CloudError(
                .unavailable, "The password cannot be checked for lack of memory. Try again in a few seconds.",
                detail: "the password hash got no memory or randomness")
            error.headers = [(name: "Retry-After", value: "2")]
            throw error
        }
    }
}
