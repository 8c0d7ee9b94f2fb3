// SPDX-License-Identifier: Apache-2.0
// Identity's table of contents: its areas, migrations, policies, loops. Main makes one and mounts it.

import Core
import Crypto
import Database
import Events
import HTTP
import JSON

package struct IdentityModule: Service {
    package let environment: IdentityEnvironment
    private let areas: [any IdentityArea]

    package static var migrations: [Migration] { IdentitySchema.migrations }
    private static let areaTypes: [any IdentityArea.Type] = [
        UserArea.self,
        GroupArea.self,
        CatalogArea.self,
        EndpointFilterArea.self,
        PolicyBlobArea.self,
        CredentialArea.self,
        DomainArea.self,
        ProjectArea.self,
        DomainConfigArea.self,
        LimitArea.self,
        RoleRoutes.self, GrantRoutes.self, AssignmentRoutes.self,
    ]
    package static var policies: [PolicyRule] { CommonPolicy.rules + areaTypes.flatMap { $0.policies } }

    package init(environment: IdentityEnvironment) {
        self.environment = environment
        areas = Self.areaTypes.map { $0.init(environment) }
    }

    package let description = ServiceDescription(name: "identity", type: "identity", mount: "/identity", faults: .keystone)
    package var routes: [Route] { areas.flatMap(\.routes) }
}
