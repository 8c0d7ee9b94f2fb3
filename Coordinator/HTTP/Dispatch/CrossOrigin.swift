// SPDX-License-Identifier: Apache-2.0
// CORS: pages of the listed origins may call the APIs from a browser. Off when the list is empty. Credentials are never
// allowed: tokens travel in a header that the page itself sets.

package struct CrossOrigin: Sendable {
    /// "https://console.example.org"; "*" allows every origin.
    private let origins: [String]

    package init(origins: [String]) { self.origins = origins }
    var isOn: Bool { !origins.isEmpty }

    private static let exposed =
        "X-Subject-Token, X-Openstack-Request-Id, OpenStack-API-Version, Openstack-Auth-Receipt, Location, ETag, "
        + "Content-Length"
    private static let accepted =
        "Content-Type, Accept, Range, If-Match, If-None-Match, X-Auth-Token, X-Subject-Token, OpenStack-API-Version, "
        + "Openstack-Auth-Receipt, X-Openstack-Request-Id"

    /// Headers for an answer to a page that may read it.
    func headers(_ head: RequestHead) -> [(name: String, value: String)] {
        guard let origin = head.value("origin") else { return [("Vary", "Origin")] }
        guard origins.contains(origin) || origins.contains("*") else { return [("Vary", "Origin")] }
        return [
            ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", Self.exposed),
            ("Vary", "Origin"),
        ]
    }

    /// The answer to a browser's question before the real request; nil when it is none.
    func preflight(_ head: RequestHead, allowed: String) -> Response? {
        guard head.method == .options, head.range("origin") != nil, head.range("access-control-request-method") != nil
        else { return nil }
        return Response(
            .noContent,
            headers: [
                ("Access-Control-Allow-Methods", allowed), ("Access-Control-Allow-Headers", Self.accepted),
                ("Access-Control-Max-Age", "3600"),
            ])
    }
}
