// SPDX-License-Identifier: Apache-2.0
import Core
import HTTP
import JSON
import Testing

@testable import Identity

struct SignInRequestTests {
    private func read(_ text: String) throws -> SignInRequest {
        let json = try JSON.parse(text)
        return try SignInRequest(RequestFields(json.object ?? [:], path: "auth"))
    }

    private static let password = #""identity":{"methods":["password"],"password":{"user":{"id":"u","password":"s"}}}"#

    @Test func aUserIsNamedByIDOrByNameAndDomain() throws {
        guard case .id("u") = try read("{\(Self.password)}").password?.user.form else {
            Issue.record("the id was not read")
            return
        }
        let named = try read(
            """
            {"identity":{"methods":["password"],"password":{"user":{"name":"n","domain":{"name":"D"},"password":"s"}}}}
            """)
        guard case .name("n", .name("D")) = named.password?.user.form else {
            Issue.record("the name was not read")
            return
        }
    }

    @Test(arguments: [
        (#""scope":{"project":{"id":"p"}}"#, "project"), (#""scope":{"domain":{"name":"d"}}"#, "domain"),
        (#""scope":{"system":{"all":true}}"#, "system"), (#""scope":{"OS-TRUST:trust":{"id":"t"}}"#, "trust"),
        (#""scope":"unscoped""#, "unscoped"), (#""scope":{"unscoped":{}}"#, "unscoped"), (#""x":1"#, "unspecified"),
    ])
    func everyScopeIsRead(scope: String, expected: String) throws {
        let request = try read("{\(Self.password),\(scope)}")
        #expect("\(request.scope)".hasPrefix(expected))
    }

    @Test(arguments: [
        ("{}", "auth.identity"), (#"{"identity":{}}"#, "methods"), (#"{"identity":{"methods":[]}}"#, "methods"),
        (#"{"identity":{"methods":[1]}}"#, "methods[0]"), (#"{"identity":{"methods":"password"}}"#, "methods"),
        (#"{"identity":{"methods":["password"]}}"#, "password"),
        (#"{"identity":{"methods":["password"],"password":{"user":{"password":"x"}}}}"#, "id"),
        (#"{"identity":{"methods":["password"],"password":{"user":{"name":"x","password":"x"}}}}"#, "domain"),
        (#"{"identity":{"methods":["password"],"password":{"user":{"id":"x"}}}}"#, "password"),
        (#"{"identity":{"methods":["token"],"token":{"id":7}}}"#, "token.id"),
        ("{\(password),\"scope\":{\"project\":{}}}", "id"), ("{\(password),\"scope\":{}}", "scope"),
        ("{\(password),\"scope\":{\"system\":{\"all\":false}}}", "all"),
        ("{\(password),\"scope\":{\"project\":{\"id\":\"a\"},\"domain\":{\"id\":\"b\"}}}", "scope"),
        (#"{"identity":{"methods":["application_credential"],"application_credential":{"id":"x"}}}"#, "secret"),
        (#"{"identity":{"methods":["totp"],"totp":{"user":{"id":"x"}}}}"#, "passcode"),
    ])
    func whatIsMissingOrWrongIsNamed(body: String, field: String) {
        let error = #expect(throws: CloudError.self) { try read(body) }
        #expect(error?.kind == .badRequest)
        #expect(error?.message.contains(field) ?? false, "\(error?.message ?? "")")
    }

    @Test func anUnknownMethodIsNotAuthorised() {
        let error = #expect(throws: CloudError.self) { try read(#"{"identity":{"methods":["magic"]}}"#) }
        #expect(error?.kind == .unauthorized)
    }
}
