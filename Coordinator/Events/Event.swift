// SPDX-License-Identifier: Apache-2.0
// One thing that happened, typed. Services append events in the transaction of the change itself (EventRecorder), so
// there is no change without its event and no event without its change; metering, audit, notifications and the caches
// of other coordinators read them from the table (EventFeed) and never ask the services.

import Core
import JSON

package struct Event: Sendable, Equatable {
    /// What was done. An open set: services may add words of their own, past participles in lower case.
    package struct Action: RawRepresentable, Sendable, Hashable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        package init(_ word: String) { rawValue = word }
        package static let created = Action("created")
        package static let updated = Action("updated")
        package static let deleted = Action("deleted")
        /// Someone signed in, or tried to: see the outcome.
        package static let authenticated = Action("authenticated")
        /// Use of something that is metered: see `usage`.
        package static let used = Action("used")
    }

    package enum Outcome: String, Sendable { case success, failure }

    /// What it was done to.
    package struct Resource: Sendable, Equatable {
        /// "user", "role_assignment", "server" …
        package var type: String
        package var id: String
        package var project: ID<Project>?
        package var domain: ID<Domain>?

        package init(_ type: String, _ id: String, project: ID<Project>? = nil, domain: ID<Domain>? = nil) {
            self.type = type
            self.id = id
            self.project = project
            self.domain = domain
        }
    }

    /// Who did it, and from where.
    package struct Initiator: Sendable, Equatable {
        package var user: ID<User>?
        package var project: ID<Project>?
        package var domain: ID<Domain>?
        package var address: String?
        package var agent: String?
        package var requestID: String?

        package init(
            user: ID<User>? = nil, project: ID<Project>? = nil, domain: ID<Domain>? = nil, address: String? = nil,
            agent: String? = nil, requestID: String? = nil
        ) {
            self.user = user
            self.project = project
            self.domain = domain
            self.address = address
            self.agent = agent
            self.requestID = requestID
        }

        package init(_ authority: Authority, address: String? = nil, agent: String? = nil, requestID: String? = nil) {
            self.init(
                user: authority.user, project: authority.projectID, domain: authority.domainID, address: address,
                agent: agent, requestID: requestID)
        }

        /// The cloud itself: a loop, a job, the command line.
        package static let cloud = Initiator()
    }

    /// How much was used, and when: what metering adds up.
    package struct Usage: Sendable, Equatable {
        package var begin: Instant
        package var end: Instant
        /// In the unit the event's type names.
        package var size: Int64

        package init(begin: Instant, end: Instant, size: Int64) {
            self.begin = begin
            self.end = end
            self.size = size
        }
    }

    /// "identity", "compute" …
    package var service: String
    package var action: Action
    package var outcome: Outcome
    package var resource: Resource
    package var initiator: Initiator
    package var usage: Usage?
    /// More about it, for consumers that know the kind. Never a secret.
    package var payload: JSON
    /// Keys of cached knowledge that the change made stale, in the service's own words. The coordinator that made the
    /// change touches its own caches after the commit; the others do it when they read the event.
    package var touches: [String]

    package init(
        _ service: String, _ action: Action, _ resource: Resource, by initiator: Initiator, outcome: Outcome = .success,
        usage: Usage? = nil, payload: JSON = .null, touches: [String] = []
    ) {
        self.service = service
        self.action = action
        self.resource = resource
        self.initiator = initiator
        self.outcome = outcome
        self.usage = usage
        self.payload = payload
        self.touches = touches
    }

    /// "identity.user.created"
    package var kind: String { "\(service).\(resource.type).\(action.rawValue)" }
}

/// An event as the table holds it.
package struct RecordedEvent: Sendable, Equatable {
    package let position: EventPosition
    /// A UUID.
    package let id: String
    package let time: Instant
    /// Which coordinator (or command) recorded it.
    package let origin: String
    package let event: Event
}

/// A place in the stream of events; everything before it has been committed and is visible.
package struct EventPosition: Sendable, Hashable, Comparable {
    let writer: Int64
    let sequence: Int64
    package static let beginning = EventPosition(writer: -1, sequence: 0)
    package static func < (a: EventPosition, b: EventPosition) -> Bool {
        (a.writer, a.sequence) < (b.writer, b.sequence)
    }
}
