// SPDX-License-Identifier: Apache-2.0
// The one error of the coordinator. Leaf modules may throw small enums of their own; at the module's edge they become
// this, once. HTTP/ alone chooses the status and the fault's form.

package struct CloudError: Error, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        case badRequest, unauthorized, forbidden, notFound, methodNotAllowed, notAcceptable, conflict, gone
        case preconditionFailed, tooLarge, unsupportedMedia, rangeNotSatisfiable, quotaExceeded, tooManyRequests
        case headersTooLarge, timeout, noCapacity, unsupported, unavailable, deadline, storageFull, internalError
    }

    package let kind: Kind
    /// For the user; says what to do. Never holds a secret or an inner detail.
    package let message: String
    /// For operators; written to the log, never sent.
    package var detail: String?
    /// Extra response headers that belong to this fault (Retry-After, WWW-Authenticate, a receipt …).
    package var headers: [(name: String, value: String)] = []
    /// A body that replaces the service's usual envelope, already JSON.
    package var body: [UInt8]?

    package init(_ kind: Kind, _ message: String, detail: String? = nil) {
        self.kind = kind
        self.message = message
        self.detail = detail
    }

    package var description: String { detail.map { "\(kind): \(message) (\($0))" } ?? "\(kind): \(message)" }

    package var isRetryable: Bool {
        switch kind {
        case .unavailable, .deadline, .storageFull, .tooManyRequests: true
        default: false
        }
    }
}

extension CloudError {
    package static func badRequest(_ message: String) -> CloudError { CloudError(.badRequest, message) }
    package static func conflict(_ message: String) -> CloudError { CloudError(.conflict, message) }
    package static func forbidden(_ message: String) -> CloudError { CloudError(.forbidden, message) }
    package static func unauthorized(_ message: String) -> CloudError { CloudError(.unauthorized, message) }
    /// "Could not find user: 42."
    package static func notFound(_ kind: String, _ id: String) -> CloudError {
        CloudError(.notFound, "Could not find \(kind): \(id).")
    }
    /// For what only a fault of ours can cause; the user learns no more than that.
    package static func internalError(_ detail: String) -> CloudError {
        CloudError(
            .internalError, "An unexpected error prevented the server from fulfilling your request.", detail: detail)
    }
}
