// SPDX-License-Identifier: Apache-2.0
// From a request's X-Auth-Token to its caller, for every service. Enforces the access rules of an application
// credential here, once, so that no service can forget them.

import Core
import HTTP

package struct TokenAuthenticator: Authenticator {
    let tokens: TokenService

    package func authority(of request: Request, for service: ServiceDescription) async throws -> Authority? {
        guard let range = request.head.range("x-auth-token") else { return nil }
        let known = request.head.bytes.withUnsafeBufferPointer {
            tokens.check(UnsafeBufferPointer(rebasing: $0[range]))
        }
        let token: Token
        if let known {
            token = known
        } else {
            let text = String(decoding: request.head.bytes[range], as: UTF8.self)
            if text.isEmpty { return nil }
            do {
                token = try await tokens.checkSlowly(text)
            } catch let error as CloudError where error.kind == .forbidden || error.kind == .notFound {
                throw TokenResolver.refused(error.message)
            }
        }
        if let credential = token.applicationCredential, !credential.rules.isEmpty {
            try enforce(credential, request, service)
        }
        return token.authority
    }

    /// Paths in rules begin at the service's root, as clients see it below the catalog's URL.
    private func enforce(
        _ credential: ApplicationCredentialRecord, _ request: Request, _ service: ServiceDescription
    ) throws {
        let path = String(request.head.pathText.dropFirst(service.mount.utf8.count))
        let isAllowed = AccessRules.allows(
            credential.rules, service: service.type, method: request.method.rawValue, path: path.isEmpty ? "/" : path)
        guard isAllowed else {
            throw CloudError.forbidden(
                "The access rules of this application credential do not allow \(request.method.rawValue) \(path) "
                    + "of the service \(service.type)."
            )
        }
    }
}
