// SPDX-License-Identifier: Apache-2.0
// How far a trust may be passed on, and what it may grant then.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

struct RedelegationTests {
    private func request(_ more: JSON.Object = [:]) throws -> TrustRequest {
        var body: JSON.Object = [
            "trustor_user_id": "one", "trustee_user_id": "two", "project_id": "web", "impersonation": true,
            "roles": [["id": "member"]],
        ]
        for (name, value) in more.members { body[name] = value }
        return try TrustRequest(RequestFields(body, path: "trust"), now: Instant(seconds: 1000))
    }

    private func trust(count: Int = 3, expires: Int64? = nil, isImpersonation: Bool = true) -> TrustRecord {
        TrustRecord(
            id: ID("first"), trustor: ID("zero"), trustee: ID("one"), project: ID("web"),
            isImpersonation: isImpersonation,
            expires: expires.map { Instant(seconds: $0) }, remainingUses: nil, source: nil, redelegationCount: count,
            roles: [ID("member"), ID("reader")], extra: [:])
    }

    private func refusal(_ body: () throws -> Void) -> CloudError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? CloudError)?.kind
        }
    }

    @Test func `a plain trust cannot be passed on`() throws {
        #expect(try Redelegation.count(request()) == 0)
        #expect(try Redelegation.count(request(["allow_redelegation": true, "redelegation_count": 0])) == 0)
    }

    @Test func `a trust that may be passed on may be so three times, or fewer`() throws {
        #expect(try Redelegation.count(request(["allow_redelegation": true])) == 3)
        #expect(try Redelegation.count(request(["allow_redelegation": true, "redelegation_count": 2])) == 2)
        #expect(
            refusal { _ = try Redelegation.count(request(["allow_redelegation": true, "redelegation_count": 4])) }
                == .forbidden)
        #expect(
            refusal { _ = try Redelegation.count(request(["allow_redelegation": true, "remaining_uses": 1])) }
                == .badRequest)
    }

    @Test func `passing on lowers the count and keeps the end`() throws {
        let passed = try Redelegation.passOn(
            request(["allow_redelegation": true]), roles: [ID("member")], line: [trust(count: 2, expires: 2000)])
        #expect(passed.count == 1)
        #expect(passed.expires == Instant(seconds: 2000))
    }

    @Test func `passing on never gives more`() throws {
        let roles: [ID<Role>] = [ID("member")]
        #expect(refusal { _ = try Redelegation.passOn(request(), roles: roles, line: [trust(count: 0)]) } == .forbidden)
        #expect(refusal { _ = try Redelegation.passOn(request(), roles: [ID("admin")], line: [trust()]) } == .forbidden)
        #expect(
            refusal { _ = try Redelegation.passOn(request(["remaining_uses": 2]), roles: roles, line: [trust()]) }
                == .forbidden)
        #expect(
            refusal { _ = try Redelegation.passOn(request(["project_id": "shop"]), roles: roles, line: [trust()]) }
                == .forbidden)
        #expect(
            refusal {
                _ = try Redelegation.passOn(
                    request(["expires_at": "2030-01-01T00:00:00Z"]), roles: roles, line: [trust(expires: 2000)])
            } == .forbidden)
        #expect(
            refusal {
                _ = try Redelegation.passOn(request(), roles: roles, line: [trust(isImpersonation: false)])
            } == .forbidden)
        #expect(
            refusal {
                _ = try Redelegation.passOn(
                    request(["allow_redelegation": true, "redelegation_count": 1]), roles: roles,
                    line: [trust(count: 3)])
            } == .forbidden)
    }

    @Test func `every trust of the line is asked`() throws {
        #expect(
            refusal {
                _ = try Redelegation.passOn(request(), roles: [ID("member")], line: [trust(count: 2), trust(count: 0)])
            } == .forbidden)
    }
}
