// SPDX-License-Identifier: Apache-2.0
// Opens the database that the configuration names, brought up to the schema of this program.

import Core
import Database

package enum CloudDatabase {
    package static func location(_ config: Config) -> String {
        switch config.storage {
        case .sqlite: "sqlite:" + (config.sqlitePath ?? "")
        case .postgres(let url): url
        }
    }

    package static func open(_ config: Config, metrics: Metrics? = nil) async throws -> Database {
        try await Database.open(location(config), migrations: CloudModules.migrations, metrics: metrics)
    }
}
