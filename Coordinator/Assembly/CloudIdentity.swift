// SPDX-License-Identifier: Apache-2.0
// Makes identity from the configuration: for the coordinator, which serves it, and for the `martlet` command, which
// works on the database through the same rules.

import Core
import Crypto
import Database
import Events
import Identity

package enum CloudIdentity {
    package static func environment(
        _ config: Config, database: Database, recorder: EventRecorder, log: Log,
        passwordThreads: Int = PasswordPool.cores
    ) throws -> IdentityEnvironment {
        IdentityEnvironment(
            database: database, settings: config.identitySettings,
            vault: try Vault(try SecretKeyFile.read(config.secretKeyPath)),
            passwords: PasswordPool(
                PasswordHasher(config.hashAlgorithm), threads: passwordThreads, waiting: Limits.queuedPasswordChecks),
            recorder: recorder, log: log)
    }
}

extension Config {
    package var identitySettings: IdentitySettings {
        var settings = IdentitySettings()
        settings.publicURL = baseURL
        settings.region = region
        settings.tokenLifetimeSeconds = Int64(tokenLifetimeSeconds)
        settings.lockoutAttempts = lockoutAttempts
        settings.lockoutSeconds = Int64(lockoutSeconds)
        settings.passwordHistory = passwordHistory
        settings.passwordExpiresDays = Int64(passwordExpiresDays)
        settings.passwordMinimumAgeDays = Int64(passwordMinimumAgeDays)
        settings.passwordRegex = passwordRegex?.text
        settings.passwordRegexHint = passwordRegexHint
        settings.inactiveDays = Int64(inactiveDays)
        settings.changePasswordOnFirstUse = changePasswordOnFirstUse
        settings.projectDepth = projectDepth
        settings.limitModel = limitModel == .flat ? .flat : .strictTwoLevel
        return settings
    }

    package var hashAlgorithm: PasswordHasher.Algorithm {
        switch passwordHash {
        case .argon2id(let memory, let passes): .argon2id(memoryKiB: memory * 1024, passes: passes)
        case .bcrypt(let cost): .bcrypt(cost: cost)
        }
    }
}
