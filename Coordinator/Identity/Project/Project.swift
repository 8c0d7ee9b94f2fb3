// SPDX-License-Identifier: Apache-2.0
// A project or a domain: the API treats a domain as a project that acts as one, and so does the table.

import Core
import Database
import HTTP
import JSON

package struct ProjectRecord: Sendable, PolicyTarget {
    package var id: ID<Project>
    package var name: String
    /// nil for a domain.
    package var domain: ID<Domain>?
    /// The project above; for a top-level project its domain; nil for a domain.
    package var parent: ID<Project>?
    package var isDomain: Bool
    package var isEnabled: Bool
    package var description: String
    /// In alphabetical order.
    package var tags: [String] = []
    package var options: JSON.Object
    package var extra: JSON.Object

    package init(
        id: ID<Project>, name: String, domain: ID<Domain>?, parent: ID<Project>?, isDomain: Bool,
        isEnabled: Bool = true,
        description: String = "", options: JSON.Object = [:], extra: JSON.Object = [:]
    ) {
        self.id = id
        self.name = name
        self.domain = domain
        self.parent = parent
        self.isDomain = isDomain
        self.isEnabled = isEnabled
        self.description = description
        self.options = options
        self.extra = extra
    }

    /// The domain it belongs to; a domain belongs to itself.
    package var owner: ID<Domain> { domain ?? ID(id.text) }
    package var isImmutable: Bool { options["immutable"]?.bool ?? false }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        // A domain has neither as a project, so that no rule meant for a domain's projects reaches the domain itself.
        case "target.project.id": isDomain ? nil : id.text
        case "target.project.domain_id": domain?.text
        case "target.domain.id": isDomain ? id.text : nil
        case "target.domain_id": owner.text
        default: nil
        }
    }
}
