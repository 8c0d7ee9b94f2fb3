// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

struct PolicyFileTests {
    func parse(_ text: String) throws -> [String: String] { try PolicyFile.parse(text, path: "policy.yaml") }

    @Test func `lines with and without quotes are read`() throws {
        let rules = try parse(
            """
            ---
            # who may list
            "identity:list_users": "role:admin or role:auditor"
            identity:get_user: role:reader
            'identity:get_role': ''
            "admin_required" : "role:admin"
            """)
        #expect(
            rules == [
                "identity:list_users": "role:admin or role:auditor", "identity:get_user": "role:reader",
                "identity:get_role": "", "admin_required": "role:admin",
            ])
    }

    @Test func `one JSON object is read`() throws {
        #expect(try parse("\n {\"identity:get_user\": \"role:reader\"}") == ["identity:get_user": "role:reader"])
    }

    @Test(arguments: [
        "nonsense", "\"open: role:admin", "\"a\" \"b\"", "\"a\": \"b", "a: b\na: c", "{\"a\": 1}", "{", ": b",
    ])
    func `what is not understood is refused with its place`(text: String) {
        #expect { try parse(text) } throws: { "\($0)".contains("policy.yaml") }
    }
}
