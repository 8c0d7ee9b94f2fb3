// SPDX-License-Identifier: Apache-2.0
// How limits of a tree of projects bear on each other. Flat: not at all. Strict two-level: the domain is the upper
// level, no project of it may have a higher limit than the domain, whose limit is its own or the registered standard.

import Core
import Database

extension IdentitySettings.LimitModel {
    var description: String {
        switch self {
        case .flat: "Limit enforcement and validation does not take project hierarchy into consideration."
        case .strictTwoLevel: "This model requires project hierarchy never exceeds a depth of two"
        }
    }

    /// Refuses limits that do not fit those above and below them; limits in one request count for each other.
    func check(_ limits: [LimitRecord], _ connection: any Connection) throws {
        guard self == .strictTwoLevel else { return }
        for limit in limits {
            let fits =
                if let project = limit.project {
                    try Self.fitsUnderParent(limit, of: project, among: limits, connection)
                } else {
                    try Self.fitsOverChildren(limit, among: limits, connection)
                }
            guard fits else { throw Self.refusal(limit) }
        }
    }

    private static func fitsUnderParent(
        _ limit: LimitRecord, of project: ID<Project>, among limits: [LimitRecord], _ connection: any Connection
    ) throws -> Bool {
        guard let domain = try ProjectStore.find(project, connection)?.owner else { return true }
        let beside = limits.first { $0.domain == domain && $0.registered == limit.registered }
        let above =
            try beside?.limit ?? LimitStore.limit(of: domain, limit.registered, connection)
            ?? RegisteredLimitStore.find(limit.registered, connection)?.standard
        return above.map { fits(limit.limit, under: $0) } ?? true
    }

    private static func fitsOverChildren(
        _ limit: LimitRecord, among limits: [LimitRecord], _ connection: any Connection
    ) throws -> Bool {
        guard let domain = limit.domain else { return true }
        let below = try LimitStore.highestLimit(below: domain, limit.registered, connection)
        return below.map { fits($0, under: limit.limit) } ?? true
    }

    /// -1 is no limit: everything fits under it, and as a child's limit it asks for no more than its parent has.
    static func fits(_ child: Int, under parent: Int) -> Bool { parent == -1 || child <= parent }

    private static func refusal(_ limit: LimitRecord) -> CloudError {
        let place = limit.project.map { "project_id: \($0)" } ?? "domain_id: \(limit.domain?.text ?? "")"
        return .forbidden(
            """
            Invalid resource limit: The resource limit (\(place), resource_name: \(limit.resource), \
            resource_limit: \(limit.limit), service_id: \(limit.service), region_id: \(limit.region?.text ?? "None")) \
            doesn't satisfy current hierarchy model.
            """)
    }
}
