// SPDX-License-Identifier: Apache-2.0
// A token's JSON. The fixed part is rendered once, when the token is made; the catalog is put in when it is asked for.

import Core
import HTTP
import JSON

enum TokenWire {
    /// The members of "token" before the catalog, as an object without its closing brace: `{"methods":[…],…`.
    static func render(
        payload: TokenPayload, user: Token.User, scope: Token.Scope, roles: [RoleRecord], trust: TrustRecord?,
        applicationCredential: ApplicationCredentialRecord?
    ) -> [UInt8] {
        var bytes = JSONWriter.bytes(capacity: 1024) { w in
            w.object { w in
                w.field("methods", payload.methods.names)
                w.object("user") { w in
                    writeDomain(&w, user.domain, user.domainName)
                    w.field("id", user.id.text)
                    w.field("name", user.name)
                    w.field("password_expires_at", orNull: user.passwordExpires?.text)
                }
                w.field(
                    "audit_ids", payload.chain == nil ? [payload.auditID] : [payload.auditID, payload.auditChainID])
                w.field("expires_at", payload.expires.text)
                w.field("issued_at", payload.issued.text)
                writeScope(&w, scope)
                if case .none = scope {} else { writeRoles(&w, roles) }
                if let trust { writeTrust(&w, trust) }
                if let applicationCredential { write(&w, applicationCredential) }
            }
        }
        bytes.removeLast()
        return bytes
    }

    private static func writeDomain(_ w: inout JSONWriter, _ id: ID<Domain>, _ name: String) {
        w.object("domain") { w in
            w.field("id", id.text)
            w.field("name", name)
        }
    }

    private static func writeScope(_ w: inout JSONWriter, _ scope: Token.Scope) {
        switch scope {
        case .none: break
        case .project(let project, let domainName):
            w.object("project") { w in
                writeDomain(&w, project.owner, domainName)
                w.field("id", project.id.text)
                w.field("name", project.name)
            }
            w.field("is_domain", project.isDomain)
        case .domain(let domain): writeDomain(&w, domain.owner, domain.name)
        case .system: w.object("system") { w in w.field("all", true) }
        }
    }

    private static func writeRoles(_ w: inout JSONWriter, _ roles: [RoleRecord]) {
        w.array("roles") { w in
            for role in roles {
                w.object { w in
                    w.field("id", role.id.text)
                    w.field("name", role.name)
                }
            }
        }
    }

    private static func writeTrust(_ w: inout JSONWriter, _ trust: TrustRecord) {
        w.object("OS-TRUST:trust") { w in
            w.field("id", trust.id.text)
            w.field("impersonation", trust.isImpersonation)
            w.object("trustee_user") { w in w.field("id", trust.trustee.text) }
            w.object("trustor_user") { w in w.field("id", trust.trustor.text) }
        }
    }

    private static func write(_ w: inout JSONWriter, _ credential: ApplicationCredentialRecord) {
        w.object("application_credential") { w in
            w.field("id", credential.id.text)
            w.field("name", credential.name)
            w.field("restricted", !credential.isUnrestricted)
            if !credential.rules.isEmpty {
                w.array("access_rules") { w in
                    for rule in credential.rules {
                        w.object { w in
                            w.field("id", rule.id.text)
                            w.field("service", rule.service)
                            w.field("path", rule.path)
                            w.field("method", rule.method)
                        }
                    }
                }
            }
        }
    }

    /// {"token": {…, "catalog": […]}}
    static func body(of token: Token, catalog: CatalogSnapshot?) -> [UInt8] {
        var catalogBytes: [UInt8] = []
        if let catalog, token.isScoped {
            catalogBytes = JSONWriter.bytes(capacity: 2048) { w in
                catalog.render(project: token.catalogProject, user: token.user.id, into: &w)
            }
        }
        var out: [UInt8] = []
        out.reserveCapacity(token.rendered.count + catalogBytes.count + 32)
        append(#"{"token":"#, to: &out)
        out.append(contentsOf: token.rendered)
        if !catalogBytes.isEmpty {
            append(#","catalog":"#, to: &out)
            out.append(contentsOf: catalogBytes)
        }
        append("}}", to: &out)
        return out
    }

    private static func append(_ text: StaticString, to out: inout [UInt8]) {
        out.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
