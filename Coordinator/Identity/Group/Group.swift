// SPDX-License-Identifier: Apache-2.0
// A group of users, from our own tables or from a directory.

import Core
import HTTP
import JSON

package struct GroupRecord: Sendable, PolicyTarget {
    package var id: ID<Group>
    package var name: String
    package var domain: ID<Domain>
    package var description: String
    package var extra: JSON.Object
    package var isLocal: Bool

    package init(
        id: ID<Group>, name: String, domain: ID<Domain>, description: String = "", extra: JSON.Object = [:],
        isLocal: Bool = true
    ) {
        self.id = id
        self.name = name
        self.domain = domain
        self.description = description
        self.extra = extra
        self.isLocal = isLocal
    }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.group.id": id.text
        case "target.group.domain_id": domain.text
        default: nil
        }
    }
}
