// SPDX-License-Identifier: Apache-2.0
// What all modules together bring: their migrations and policy rules. The coordinator and the `martlet` command both
// take them from here, so the command can never see another schema than the coordinator.

import Core
import Database
import Events
import Identity
import Jobs

package enum CloudModules {
    /// Lowest module first: a later one may refer to an earlier one's tables.
    package static var migrations: [Migration] {
        EventSchema.migrations + JobSchema.migrations + IdentityModule.migrations
    }

    package static var policies: [PolicyRule] { IdentityModule.policies }

    /// The table in force: the modules' rules, with the operator's file over them.
    package static func policy(_ config: Config) throws -> PolicyTable {
        let overrides = config.policyFile.isEmpty ? [:] : try PolicyFile.read(config.policyFile)
        return try PolicyTable(policies, overrides: overrides, enforcesScope: config.enforceScope)
    }
}
