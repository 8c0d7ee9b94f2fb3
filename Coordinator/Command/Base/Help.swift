// SPDX-License-Identifier: Apache-2.0
// What `martlet help`, `martlet COMMAND --help` and a mistyped command say.

import Core

enum Help {
    static func overview(_ commands: [Subcommand]) -> String {
        let width = commands.map(\.name.count).max() ?? 0
        var out = """
            Martlet \(Version.text): a cloud that speaks OpenStack's APIs.

            Usage: martlet COMMAND [arguments] [options]


            """
        for command in commands { out += "  \(pad(command.name, width))  \(command.summary)\n" }
        return out + """

            `martlet help COMMAND` explains one of them. The configuration is read from --config FILE, $MARTLET_CONFIG,
            the state directory the program lives in, or \(Invocation.systemConfig).
            """
    }

    static func text(_ command: Subcommand) -> String {
        var out = "\(command.summary).\n\nUsage: \(command.usage)\n"
        if !command.detail.isEmpty { out += "\n\(command.detail)\n" }
        let options = command.options + Subcommand.common
        let left = options.map(title)
        let width = (left + command.arguments.map(\.name)).map(\.count).max() ?? 0
        if !command.arguments.isEmpty {
            out += "\nArguments:\n"
            for argument in command.arguments { out += "  \(pad(argument.name, width))  \(argument.summary)\n" }
        }
        out += "\nOptions:\n"
        for (name, option) in zip(left, options) { out += "  \(pad(name, width))  \(option.summary)\n" }
        return String(out.dropLast())
    }

    /// Every command below a word, for "martlet db".
    static func group(_ word: String, _ commands: [Subcommand]) -> String {
        let members = commands.filter { $0.words[0] == word }
        let width = members.map(\.name.count).max() ?? 0
        return members.map { "  martlet \(pad($0.name, width))  \($0.summary)" }.joined(separator: "\n")
    }

    static func unknown(_ words: [String], _ commands: [Subcommand]) -> String {
        let typed = words.prefix(2).joined(separator: " ")
        let nearest =
            Words.nearest(to: typed, in: commands.map(\.name))
            ?? Words.nearest(to: words[0], in: commands.map { $0.words[0] })
        return "There is no command '\(typed)'."
            + (nearest.map { " Did you mean `martlet \($0)`?" } ?? " `martlet help` lists them all.")
    }

    private static func title(_ option: Subcommand.Option) -> String {
        option.value.map { "\(option.name) \($0)" } ?? option.name
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
