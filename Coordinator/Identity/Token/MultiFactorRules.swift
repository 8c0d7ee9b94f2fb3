// SPDX-License-Identifier: Apache-2.0
// A user's multi-factor rules: lists of methods, one of which must be wholly used. Rules that name a method we do not
// know cannot be met and are passed over, as is everything when no rule is left.

import JSON

struct MultiFactorRules: Sendable {
    let rules: [SignInMethods]

    init(_ options: JSON.Object) {
        guard options["multi_factor_auth_enabled"]?.bool ?? true else {
            rules = []
            return
        }
        rules = (options["multi_factor_auth_rules"]?.array ?? []).compactMap { rule in
            guard let names = rule.array, !names.isEmpty else { return nil }
            var methods: SignInMethods = []
            for name in names {
                guard let text = name.string, let method = SignInMethods(name: text) else { return nil }
                methods.insert(method)
            }
            return methods
        }
    }

    func areMet(by methods: SignInMethods) -> Bool { rules.isEmpty || rules.contains { methods.isSuperset(of: $0) } }
}
