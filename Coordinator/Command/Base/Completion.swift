// SPDX-License-Identifier: Apache-2.0
// Completion scripts for bash and zsh, made from the table of commands. The script holds plain word lists: pressing
// the tab key runs no program.

import Core

enum Completion {
    static func bash(_ commands: [Subcommand]) -> String {
        """
        # bash completion for martlet; made by `martlet completion bash`
        _martlet() {
            local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} line="" options="" i
            for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in -*) ;; *) line+="${line:+ }${COMP_WORDS[i]}" ;; esac
            done
            case $previous in
        \(optionCases(commands))
            esac
            case $line in
        \(wordCases(commands))
            esac
            COMPREPLY=($(compgen -W "$options \(names(Subcommand.common))" -- "$word"))
        }
        complete -F _martlet martlet
        """
    }

    /// zsh runs the bash script through its own translation.
    static func zsh(_ commands: [Subcommand]) -> String {
        """
        #compdef martlet
        # zsh completion for martlet; made by `martlet completion zsh`
        autoload -U +X bashcompinit && bashcompinit
        \(bash(commands))
        """
    }

    private static func names(_ options: [Subcommand.Option]) -> String { options.map(\.name).joined(separator: " ") }

    /// Values of options: known words, else files.
    private static func optionCases(_ commands: [Subcommand]) -> String {
        var seen: Set<String> = []
        var out: [String] = []
        for option in Subcommand.common + commands.flatMap(\.options) where option.value != nil {
            guard seen.insert(option.name).inserted else { continue }
            let words = option.choices.joined(separator: " ")
            let reply = option.choices.isEmpty ? "compgen -f -- \"$word\"" : "compgen -W \"\(words)\" -- \"$word\""
            out.append("        \(option.name)) COMPREPLY=($(\(reply))); return ;;")
        }
        return out.joined(separator: "\n")
    }

    /// What may follow the words typed so far. Longer commands come first: "db backup" before "db".
    private static func wordCases(_ commands: [Subcommand]) -> String {
        var out: [String] = []
        for command in commands.sorted(by: { $0.words.count > $1.words.count }) {
            let choices = command.arguments.flatMap(\.choices)
            let words = (choices + command.options.map(\.name)).joined(separator: " ")
            out.append("        \"\(command.name)\" | \"\(command.name) \"*) options=\"\(words)\" ;;")
        }
        let groups = Set(commands.filter { $0.words.count > 1 }.map { $0.words[0] }).sorted()
        for group in groups {
            let words = commands.filter { $0.words.count > 1 && $0.words[0] == group }.map { $0.words[1] }
            out.append("        \(group)) options=\"\(words.joined(separator: " "))\" ;;")
        }
        var firsts: [String] = []
        for command in commands where !firsts.contains(command.words[0]) { firsts.append(command.words[0]) }
        out.append("        \"\") options=\"\(firsts.joined(separator: " "))\" ;;")
        return out.joined(separator: "\n")
    }
}
