// SPDX-License-Identifier: Apache-2.0
// One command as data: its words, what it takes and what it does. Help, shell completion and the reading of arguments
// all come from this table, so none of them can lag behind the others.

import Core

struct Subcommand: Sendable {
    struct Option: Sendable {
        /// "--listen"
        let name: String
        /// What stands for the value in help; nil for a flag.
        let value: String?
        let summary: String
        let choices: [String]
        let isRepeatable: Bool

        init(
            _ name: String, _ value: String? = nil, _ summary: String, choices: [String] = [],
            isRepeatable: Bool = false
        ) {
            self.name = name
            self.value = value
            self.summary = summary
            self.choices = choices
            self.isRepeatable = isRepeatable
        }
    }

    struct Argument: Sendable {
        let name: String
        let summary: String
        let choices: [String]
        let isOptional: Bool

        init(_ name: String, _ summary: String, choices: [String] = [], isOptional: Bool = false) {
            self.name = name
            self.summary = summary
            self.choices = choices
            self.isOptional = isOptional
        }
    }

    /// ["db", "backup"]
    let words: [String]
    let summary: String
    /// Said below the usage line, where the summary does not say enough.
    let detail: String
    let arguments: [Argument]
    let options: [Option]
    let run: @Sendable (Invocation) async throws -> ExitCode

    init(
        _ words: String, _ summary: String, detail: String = "", arguments: [Argument] = [], options: [Option] = [],
        run: @escaping @Sendable (Invocation) async throws -> ExitCode
    ) {
        self.words = words.split(separator: " ").map(String.init)
        self.summary = summary
        self.detail = detail
        self.arguments = arguments
        self.options = options
        self.run = run
    }

    var name: String { words.joined(separator: " ") }

    /// Understood by every command.
    static let common = [
        Option("--config", "FILE", "the configuration file"),
        Option("--json", nil, "write JSON instead of a table"),
        Option("--help", nil, "explain the command"),
    ]

    var usage: String {
        var text = "martlet \(name)"
        for argument in arguments { text += argument.isOptional ? " [\(argument.name)]" : " \(argument.name)" }
        return options.isEmpty ? text : text + " [options]"
    }
}

enum ExitCode: Int32, Sendable {
    case success = 0
    case failure = 1
    case usage = 2
}

/// A command line that makes no sense; the sentence says what would.
struct UsageError: Error {
    let message: String
    init(_ message: String) { self.message = message }
}
