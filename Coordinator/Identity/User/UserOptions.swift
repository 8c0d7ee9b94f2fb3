// SPDX-License-Identifier: Apache-2.0
// A user's options: exemptions from the password rules, and what must be proven at sign-in. Only known ones of the
// right form are taken; null takes one away.

import Core
import HTTP
import JSON

enum UserOption: String, CaseIterable, Sendable {
    case ignoreChangePasswordUponFirstUse = "ignore_change_password_upon_first_use"
    case ignorePasswordExpiry = "ignore_password_expiry"
    case ignoreLockout = "ignore_lockout_failure_attempts"
    case lockPassword = "lock_password"
    case ignoreInactivity = "ignore_user_inactivity"
    case multiFactorEnabled = "multi_factor_auth_enabled"
    case multiFactorRules = "multi_factor_auth_rules"

    /// The options of a request, checked; members that are null stand for "take away".
    static func read(_ user: RequestFields) throws -> JSON.Object {
        guard let fields = try user.optionalFields("options") else { return [:] }
        try fields.refuseUnknown(Set(allCases.map(\.rawValue)))
        for name in fields.object.names where fields.isSet(name) {
            if name == multiFactorRules.rawValue { try checkRules(fields) } else { _ = try fields.bool(name) }
        }
        return fields.object
    }

    /// [["password", "totp"], ["password", "custom"]]: lists of distinct words, none empty, no two alike.
    private static func checkRules(_ fields: RequestFields) throws {
        let name = multiFactorRules.rawValue
        var seen: [Set<String>] = []
        for (i, rule) in (try fields.optionalArray(name) ?? []).enumerated() {
            guard let elements = rule.array, !elements.isEmpty else {
                throw fields.invalid("\(name)[\(i)]", "it must be an array of at least one method name")
            }
            let methods = elements.compactMap(\.string)
            guard methods.count == elements.count else {
                throw fields.invalid("\(name)[\(i)]", "it must hold method names, which are strings")
            }
            let rule = Set(methods)
            guard rule.count == methods.count else { throw fields.invalid("\(name)[\(i)]", "it names a method twice") }
            guard !seen.contains(rule) else { throw fields.invalid(name, "it holds the same rule twice") }
            seen.append(rule)
        }
    }

    /// What was, with what is given; nothing that is null remains.
    static func merge(_ old: JSON.Object, _ given: JSON.Object) -> JSON.Object {
        var options = old
        for (name, value) in given.members { options[name] = value.isNull ? JSON?.none : value }
        return options
    }
}

extension UserRecord {
    func has(_ option: UserOption) -> Bool { options[option.rawValue]?.bool ?? false }

    /// Whether nobody signed in as this user for so long that the account counts as disabled.
    func isInactive(_ settings: IdentitySettings, now: Instant) -> Bool {
        guard isLocal, settings.inactiveDays > 0, !has(.ignoreInactivity) else { return false }
        return now.day - (lastActiveDay ?? created.day) >= settings.inactiveDays
    }

    /// The user as the API shows it and sign-in judges it: enabled only when it is not inactive either.
    func judged(_ settings: IdentitySettings, now: Instant) -> UserRecord {
        guard isEnabled, isInactive(settings, now: now) else { return self }
        var user = self
        user.isEnabled = false
        return user
    }
}

extension Instant {
    /// Days since 1970.
    var day: Int64 { seconds / 86_400 }
}
