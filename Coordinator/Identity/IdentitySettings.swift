// SPDX-License-Identifier: Apache-2.0
// What identity needs of the configuration, as values; Main fills it from the file.

package struct IdentitySettings: Sendable {
    package enum LimitModel: String, Sendable { case flat, strictTwoLevel = "strict_two_level" }

    /// "http://127.0.0.1:5000": what version documents, links and the catalog begin with.
    package var publicURL = "http://127.0.0.1:5000"
    package var region = "RegionOne"
    package var tokenLifetimeSeconds: Int64 = 3600
    /// Failed sign-ins before a user is locked out; 0: never.
    package var lockoutAttempts = 0
    package var lockoutSeconds: Int64 = 1800
    /// Former passwords that may not come back, the present one included; 0: any.
    package var passwordHistory = 0
    package var passwordExpiresDays: Int64 = 0
    package var passwordMinimumAgeDays: Int64 = 0
    package var passwordRegex: String?
    package var passwordRegexHint = ""
    /// Days without a sign-in after which a user counts as disabled; 0: never.
    package var inactiveDays: Int64 = 0
    package var changePasswordOnFirstUse = false
    /// Levels of projects below a domain.
    package var projectDepth = 5
    package var limitModel = LimitModel.flat

    package init() {}
}
