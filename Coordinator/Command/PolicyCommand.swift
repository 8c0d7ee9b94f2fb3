// SPDX-License-Identifier: Apache-2.0
// `martlet policy list`: every rule in force, and which ones the operator's file changed.

import Assembly
import Core

enum PolicyCommand {
    static let all = [list]

    private static let list = Subcommand(
        "policy list", "Show every policy rule in force",
        arguments: [.init("WORD", "only rules whose name contains it", isOptional: true)]
    ) { invocation in
        let config = try invocation.config()
        // Refuses what cannot be read before anything is shown.
        _ = try CloudModules.policy(config)
        let overrides = config.policyFile.isEmpty ? [:] : try PolicyFile.read(config.policyFile)
        let word = invocation.argument("WORD")
        var table = Table("rule", "expression", "scopes", "from")
        for rule in CloudModules.policies.sorted(by: { $0.name < $1.name })
        where word.isEmpty || rule.name.contains(word) {
            let expression = (overrides[rule.name] ?? rule.expression).split(whereSeparator: \.isWhitespace)
            table.add(
                rule.name, expression.joined(separator: " "), rule.scopes.map(\.rawValue).joined(separator: ","),
                overrides[rule.name] == nil ? "default" : config.policyFile)
        }
        table.print(asJSON: invocation.wantsJSON, empty: "No rule's name contains '\(word)'.")
        return .success
    }
}
