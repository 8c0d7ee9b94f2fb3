// SPDX-License-Identifier: Apache-2.0
// Routes are data: method, pattern, policy, handler. Each names its policy; one without cannot be written. The router
// walks them for tests (every route has an unauthorised, a wrong-project and a bad-input case) and for the version
// documents.
//
// The order for one request: match -> authenticate -> load the target -> policy -> handler. What a caller may not see
// is told from what does not exist only to those whom the policy allows for an empty target: when the target cannot be
// loaded the policy is asked with no target, and only if it allows is the not-found passed on.

import Core
import JSON

package enum RoutePolicy: Sendable, Equatable {
    /// No token needed: version documents, sign-in, health.
    case open
    /// A valid token is enough; the handler looks only at the caller's own things.
    case authenticated
    /// A rule of the policy table.
    case rule(String)
}

/// One request on its way through a service.
package final class Call: Sendable {
    package let request: Request
    package let service: ServiceDescription
    package let parameters: [(name: String, value: String)]
    package let query: QueryParameters
    /// nil only on open routes.
    package let caller: Authority?
    package let policy: PolicyTable
    /// What the client asked for, or the lowest; nil when the service has no microversions.
    package let microversion: Microversion?

    package init(
        request: Request, service: ServiceDescription, parameters: [(name: String, value: String)],
        query: QueryParameters, caller: Authority?, policy: PolicyTable, microversion: Microversion? = nil
    ) {
        self.request = request
        self.service = service
        self.parameters = parameters
        self.query = query
        self.caller = caller
        self.policy = policy
        self.microversion = microversion
    }

    /// A path parameter, decoded. Asking for one the pattern lacks is a programmer's error and reads as empty.
    package func parameter(_ name: String) -> String { parameters.first { $0.name == name }?.value ?? "" }
    package func id<Kind>(_ name: String, _ kind: Kind.Type = Kind.self) -> ID<Kind> { ID(parameter(name)) }

    /// The caller, on a route that asked for one.
    package func authority() throws -> Authority {
        guard let caller else { throw CloudError.unauthorized("The request you have made requires authentication.") }
        return caller
    }

    /// A further check inside a handler, for what only its work reveals (a filter by domain, a second target).
    package func require(_ rule: String, _ target: some PolicyTarget) throws {
        guard policy.allows(rule, try authority(), WithParameters(target, parameters)) else { throw Self.denied(rule) }
    }

    package func allows(_ rule: String, _ target: some PolicyTarget) -> Bool {
        guard let caller else { return false }
        return policy.allows(rule, caller, WithParameters(target, parameters))
    }

    package static func denied(_ rule: String) -> CloudError {
        .forbidden("You are not authorized to perform the requested action: \(rule).")
    }
}

/// Path parameters are attributes too: "%(user_id)s".
package struct WithParameters<Target: PolicyTarget>: PolicyTarget {
    let target: Target
    let parameters: [(name: String, value: String)]
    package init(_ target: Target, _ parameters: [(name: String, value: String)]) {
        self.target = target
        self.parameters = parameters
    }
    package func policyAttribute(_ name: String) -> String? {
        target.policyAttribute(name) ?? parameters.first { $0.name == name }?.value
    }
}

package struct Route: Sendable {
    package typealias Handler = @Sendable (Call) async throws -> Response

    package let method: HTTPMethod
    /// Below the service's mount: "/v3/users/{user_id}".
    package let pattern: String
    package let policy: RoutePolicy
    package let handler: Handler

    /// A route without a rule of the table.
    package init(_ method: HTTPMethod, _ pattern: String, open policy: RoutePolicy, _ handler: @escaping Handler) {
        self.method = method
        self.pattern = pattern
        self.policy = policy
        self.handler = handler
    }

    /// A route whose rule looks at nothing but the caller and the path.
    package init(_ method: HTTPMethod, _ pattern: String, _ rule: String, _ handler: @escaping Handler) {
        self.init(method, pattern, rule, target: { _ in NoTarget() }, { call, _ in try await handler(call) })
    }

    /// A route that acts on something: `target` loads it, the rule sees it, the handler gets it. Where OpenStack tells
    /// every caller that a thing does not exist, whatever their rights, `tellsAbsence` does so too.
    package init<Target: PolicyTarget>(
        _ method: HTTPMethod, _ pattern: String, _ rule: String, tellsAbsence: Bool = false,
        target load: @escaping @Sendable (Call) async throws -> Target,
        _ handler: @escaping @Sendable (Call, Target) async throws -> Response
    ) {
        self.method = method
        self.pattern = pattern
        policy = .rule(rule)
        self.handler = { call in
            let target: Target
            do {
                target = try await load(call)
            } catch let error as CloudError where error.kind == .notFound && !tellsAbsence {
                try call.require(rule, NoTarget())
                throw error
            }
            try call.require(rule, target)
            return try await handler(call, target)
        }
    }
}

/// How a service shows itself: its place, its faults, its versions.
package struct ServiceDescription: Sendable {
    /// "identity": the log, metrics and catalog name it so.
    package let name: String
    /// The catalog's type: "identity".
    package let type: String
    /// "/identity"
    package let mount: String
    package let faults: FaultStyle
    /// nil for services without microversions.
    package let microversions: MicroversionRange?

    package init(name: String, type: String, mount: String, faults: FaultStyle, microversions: MicroversionRange? = nil)
    {
        self.name = name
        self.type = type
        self.mount = mount
        self.faults = faults
        self.microversions = microversions
    }
}

/// A service as the server mounts it.
package protocol Service: Sendable {
    var description: ServiceDescription { get }
    var routes: [Route] { get }
}

/// Turns a request's token into its caller. Implemented by Identity.
package protocol Authenticator: Sendable {
    /// nil when the request bears no token; throws 401 for a bad one, 403 when an access rule forbids the call.
    func authority(of request: Request, for service: ServiceDescription) async throws -> Authority?
}

/// Each service's envelope around a fault; the forms are in Fault.swift.
package enum FaultStyle: Sendable {
    case keystone, nova, neutron, glance, cinder, placement, swift, heat, ironic, plain
}

package struct Microversion: Sendable, Comparable, CustomStringConvertible {
    package let major: Int
    package let minor: Int
    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }
    package static func < (a: Microversion, b: Microversion) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
    package var description: String { "\(major).\(minor)" }
}

package struct MicroversionRange: Sendable {
    package let lowest: Microversion
    package let highest: Microversion
    /// "compute", as in "OpenStack-API-Version: compute 2.90".
    package let headerType: String
    /// The older header that some services also take: "x-openstack-nova-api-version".
    package let legacyHeader: String?
    package init(_ lowest: Microversion, _ highest: Microversion, headerType: String, legacyHeader: String? = nil) {
        self.lowest = lowest
        self.highest = highest
        self.headerType = headerType
        self.legacyHeader = legacyHeader
    }
}
