// SPDX-License-Identifier: Apache-2.0
// A receipt remembers for five minutes which methods a user has passed while others are still due. It is signed like
// a token, with another first byte, so that neither can be used as the other.

import Core
import Crypto
import Database
import HTTP
import JSON

struct ReceiptService: Sendable {
    private static let lifetimeSeconds: Int64 = 300
    private static let mark: UInt8 = 0xa5
    let environment: IdentityEnvironment
    let keys: TokenKeys

    /// The 401 that carries a receipt and says what is still needed.
    func challenge(_ user: UserRecord, methods: SignInMethods, rules: MultiFactorRules) async throws -> CloudError {
        let issued = environment.clock.now
        let expires = issued.adding(seconds: Self.lifetimeSeconds)
        let payload = TokenPayload(
            user: user.id, methods: methods, scope: .none, issued: issued, expires: expires,
            audit: environment.entropy.bytes(16))
        let text = try await keys.encrypt([Self.mark] + payload.bytes, time: issued)
        let domainName = try await environment.database.read("domain.find") { connection in
            try ProjectStore.findDomain(user.domain, connection)?.name ?? ""
        }
        var error = CloudError.unauthorized("Additional authentications steps required.")
        error.detail = "more methods are due"
        error.headers = [("Openstack-Auth-Receipt", text)]
        error.body = JSONWriter.bytes { w in
            w.object { w in
                w.object("receipt") { w in
                    w.field("methods", methods.names)
                    w.object("user") { w in
                        w.object("domain") { w in
                            w.field("id", user.domain.text)
                            w.field("name", domainName)
                        }
                        w.field("id", user.id.text)
                        w.field("name", user.name)
                    }
                    w.field("expires_at", expires.text)
                    w.field("issued_at", issued.text)
                }
                w.array("required_auth_methods") { w in
                    for rule in rules.rules { w.array { w in for name in rule.names { w.string(name) } } }
                }
            }
        }
        return error
    }

    func open(_ text: String) async throws -> (user: ID<User>, methods: SignInMethods) {
        func decrypt() -> TokenPayload? {
            var copy = text
            guard let bytes = copy.withUTF8({ keys.decrypt($0) }), bytes.first == Self.mark else { return nil }
            return TokenPayload(bytes: Array(bytes.dropFirst()))
        }
        var payload = text.utf8.count <= TokenService.largestTokenBytes ? decrypt() : nil
        if payload == nil, try await keys.reloadIfDue() { payload = decrypt() }
        guard let payload, environment.clock.now < payload.expires else {
            throw TokenResolver.refused("the receipt is not valid or has expired")
        }
        return (payload.user, payload.methods)
    }
}
