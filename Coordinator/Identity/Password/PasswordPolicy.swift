// SPDX-License-Identifier: Apache-2.0
// The rules for passwords, as decisions on values: what a new one must look like, when it stops working, how soon it
// may be changed again, which former ones may not come back, and when too many failures lock a user out. No clock, no
// I/O.

import Core
import JSON

package struct PasswordPolicy: Sendable {
    private enum Form: Sendable { case any, pattern(Pattern), unreadable(String) }
    private let form: Form
    private let hint: String
    private let expiresDays: Int64
    private let minimumAgeDays: Int64
    private let changesOnFirstUse: Bool
    private let lockoutAttempts: Int
    private let lockoutSeconds: Int64
    /// How many of the last passwords, the present one included, a new one must differ from.
    package let history: Int

    package init(_ settings: IdentitySettings) {
        if let text = settings.passwordRegex {
            do throws(Pattern.Refusal) { form = .pattern(try Pattern(text)) } catch {
                form = .unreadable(error.description)
            }
        } else {
            form = .any
        }
        hint = settings.passwordRegexHint
        expiresDays = settings.passwordExpiresDays
        minimumAgeDays = settings.passwordMinimumAgeDays
        changesOnFirstUse = settings.changePasswordOnFirstUse
        lockoutAttempts = settings.lockoutAttempts
        lockoutSeconds = settings.lockoutSeconds
        history = settings.passwordHistory
    }

    /// Passwords kept in the table: those that history looks at, and at least the present one.
    var kept: Int { max(history, 1) }

    // MARK: A new password

    package func check(_ password: String) throws {
        guard !password.isEmpty else { throw Self.invalid("Password must not be empty") }
        guard password.utf8.count <= Limits.passwordBytes else {
            throw Self.invalid("The password length must be less than or equal to \(Limits.passwordBytes) bytes")
        }
        switch form {
        case .any: return
        case .unreadable(let reason): throw CloudError.internalError("password_regex cannot be read: \(reason)")
        case .pattern(let pattern):
            let isMatch: Bool
            do throws(Pattern.Refusal) { isMatch = try pattern.matches(password) } catch { isMatch = false }
            let rule = hint.isEmpty ? "it must match \(pattern.text)" : hint
            guard isMatch else { throw CloudError.badRequest("The password does not match the requirements: \(rule).") }
        }
    }

    private static func invalid(_ reason: String) -> CloudError { .badRequest("Password validation error: \(reason).") }

    /// When a password set at that time stops working. One that an administrator sets may have to be changed at once.
    func expiry(setAt time: Instant, isSelfService: Bool, for user: UserRecord) -> Instant? {
        if !isSelfService, changesOnFirstUse, !user.has(.ignoreChangePasswordUponFirstUse) { return time }
        guard expiresDays > 0, !user.has(.ignorePasswordExpiry) else { return nil }
        return time.adding(days: expiresDays).wholeSecond
    }

    // MARK: Changing one's own

    func checkMayChange(_ current: StoredPassword, of user: UserRecord, now: Instant) throws {
        if user.has(.lockPassword) {
            throw CloudError.badRequest(
                "You cannot change your password at this time due to password policy disallowing password changes. "
                    + "Please contact your administrator to reset your password.")
        }
        guard current.isSelfService, minimumAgeDays > 0 else { return }
        let allowed = current.created.adding(days: minimumAgeDays)
        guard now < allowed else { return }
        let daysLeft = (allowed.seconds - now.seconds) / 86_400
        throw CloudError.badRequest(
            "You cannot change your password at this time due to the minimum password age. Once you change your "
                + "password, it must be used for \(minimumAgeDays) day(s) before it can be changed. Please try again in "
                + "\(daysLeft) day(s) or contact your administrator to reset your password.")
    }

    var isRepeated: CloudError {
        .badRequest(
            "The new password cannot be identical to a previous password. The total number which includes the new "
                + "password must be unique is \(history).")
    }

    // MARK: Using one

    func isExpired(_ password: StoredPassword, of user: UserRecord, now: Instant) -> Bool {
        guard let expires = password.expires, !user.has(.ignorePasswordExpiry) else { return false }
        return now >= expires
    }

    func isLockedOut(_ user: UserRecord, now: Instant) -> Bool {
        guard lockoutAttempts > 0, user.failedAttempts >= lockoutAttempts, !user.has(.ignoreLockout) else {
            return false
        }
        return user.lastFailed.map { $0 > lockoutBegan(now) } ?? false
    }

    var countsFailures: Bool { lockoutAttempts > 0 }
    var mostFailures: Int { lockoutAttempts }
    /// A last failure before this time locks nobody out any more.
    func lockoutBegan(_ now: Instant) -> Instant { now.adding(seconds: -lockoutSeconds) }
}
