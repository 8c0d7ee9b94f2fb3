// SPDX-License-Identifier: Apache-2.0

import Core
import JSON
import Testing

@testable import Identity

@Suite struct PasswordPolicyTests {
    private let now = Instant(seconds: 1_800_000_000)

    private func policy(_ set: (inout IdentitySettings) -> Void = { _ in }) -> PasswordPolicy {
        var settings = IdentitySettings()
        set(&settings)
        return PasswordPolicy(settings)
    }

    private func user(_ options: JSON.Object = [:]) -> UserRecord {
        UserRecord(id: ID("u"), name: "u", domain: ID("default"), options: options, created: now)
    }

    private func password(created: Instant, expires: Instant? = nil, isSelfService: Bool = true) -> StoredPassword {
        StoredPassword(hash: "", created: created, expires: expires, isSelfService: isSelfService)
    }

    @Test func `a password that does not match is refused with the hint`() throws {
        let policy = policy {
            $0.passwordRegex = #"^(?=.*\d)(?=.*[a-z]).{7,}$"#; $0.passwordRegexHint = "letters and digits"
        }
        #expect(throws: Never.self) { try policy.check("abcdef7") }
        let error = #expect(throws: CloudError.self) { try policy.check("abcdefg") }
        #expect(error?.kind == .badRequest)
        #expect(error?.message == "The password does not match the requirements: letters and digits.")
    }

    @Test func `a pattern that cannot be read lets no password pass`() {
        let error = #expect(throws: CloudError.self) { try policy { $0.passwordRegex = "(" }.check("abcdef7") }
        #expect(error?.kind == .internalError)
    }

    @Test func `empty and endless passwords are refused`() {
        #expect(throws: CloudError.self) { try policy().check("") }
        #expect(throws: CloudError.self) { try policy().check(String(repeating: "x", count: Limits.passwordBytes + 1)) }
        #expect(throws: Never.self) { try policy().check(String(repeating: "x", count: Limits.passwordBytes)) }
    }

    @Test func `a password expires after the days that are set, in whole seconds`() {
        let policy = policy { $0.passwordExpiresDays = 30 }
        let set = Instant(microseconds: now.microseconds + 1234)
        #expect(policy.expiry(setAt: set, isSelfService: true, for: user()) == now.adding(days: 30))
        #expect(policy.expiry(setAt: set, isSelfService: true, for: user(["ignore_password_expiry": true])) == nil)
        #expect(self.policy().expiry(setAt: set, isSelfService: true, for: user()) == nil)
    }

    @Test func `what an administrator sets expires at once when it must be changed on first use`() {
        let policy = policy { $0.changePasswordOnFirstUse = true }
        #expect(policy.expiry(setAt: now, isSelfService: false, for: user()) == now)
        #expect(policy.expiry(setAt: now, isSelfService: true, for: user()) == nil)
        let exempt = user(["ignore_change_password_upon_first_use": true])
        #expect(policy.expiry(setAt: now, isSelfService: false, for: exempt) == nil)
    }

    @Test func `the moment of expiry counts as expired`() {
        let expired = password(created: now, expires: now)
        #expect(policy().isExpired(expired, of: user(), now: now))
        #expect(!policy().isExpired(expired, of: user(), now: now.adding(seconds: -1)))
        #expect(!policy().isExpired(expired, of: user(["ignore_password_expiry": true]), now: now))
    }

    @Test func `a password one chose must be kept for its minimum age, one that was given need not`() {
        let policy = policy { $0.passwordMinimumAgeDays = 2 }
        let young = password(created: now.adding(days: -1))
        let error = #expect(throws: CloudError.self) { try policy.checkMayChange(young, of: user(), now: now) }
        #expect(error?.message.contains("in 1 day(s)") == true)
        #expect(throws: Never.self) { try policy.checkMayChange(young, of: user(), now: now.adding(days: 1)) }
        let given = password(created: now, isSelfService: false)
        #expect(throws: Never.self) { try policy.checkMayChange(given, of: user(), now: now) }
    }

    @Test func `a locked password cannot be changed by its user`() {
        let locked = user(["lock_password": true])
        #expect(throws: CloudError.self) { try policy().checkMayChange(password(created: now), of: locked, now: now) }
    }

    @Test func `a lock-out lasts its seconds from the last failure`() {
        let policy = policy {
            $0.lockoutAttempts = 2; $0.lockoutSeconds = 5
        }
        var user = user()
        user.failedAttempts = 1
        user.lastFailed = now
        #expect(!policy.isLockedOut(user, now: now))
        user.failedAttempts = 2
        #expect(policy.isLockedOut(user, now: now))
        #expect(policy.isLockedOut(user, now: now.adding(seconds: 4)))
        #expect(!policy.isLockedOut(user, now: now.adding(seconds: 5)))
        user.options = ["ignore_lockout_failure_attempts": true]
        #expect(!policy.isLockedOut(user, now: now))
    }
}
