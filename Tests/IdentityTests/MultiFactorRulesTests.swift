// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@testable import Identity

struct MultiFactorRulesTests {
    private func rules(_ text: String) throws -> MultiFactorRules {
        MultiFactorRules(try JSON.parse(text).object ?? [:])
    }

    @Test func oneWholeRuleIsEnough() throws {
        let rules = try rules(#"{"multi_factor_auth_rules":[["password","totp"],["application_credential"]]}"#)
        #expect(!rules.areMet(by: .password))
        #expect(rules.areMet(by: [.password, .totp]))
        #expect(rules.areMet(by: .applicationCredential))
    }

    @Test(arguments: [
        "{}", #"{"multi_factor_auth_rules":[]}"#, #"{"multi_factor_auth_rules":[["magic"]]}"#,
        #"{"multi_factor_auth_enabled":false,"multi_factor_auth_rules":[["totp"]]}"#,
    ])
    func withoutAUsableRuleAnyMethodWillDo(options: String) throws {
        #expect(try rules(options).areMet(by: .password))
    }
}
