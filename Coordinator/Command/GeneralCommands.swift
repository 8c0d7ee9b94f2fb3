// SPDX-License-Identifier: Apache-2.0
// Commands about the program itself: its version, its configuration, its shell completion.

import Core

enum GeneralCommands {
    static let all = [configShow, configSet, configTemplate, completion, manual, version]

    private static let version = Subcommand("version", "Show the version") { invocation in
        if invocation.wantsJSON {
            Terminal.json { $0.object { $0.field("version", Version.text) } }
        } else {
            Terminal.say("martlet \(Version.text)")
        }
        return .success
    }

    private static let configShow = Subcommand(
        "config show", "Show the configuration in force and where each value comes from",
        detail: "Passwords inside the database's URL are not shown.",
        arguments: [.init("KEY", "only this key's value", choices: ConfigKey.all.map(\.name), isOptional: true)]
    ) { invocation in
        let loaded = try invocation.loadedConfig()
        if let name = invocation.optionalArgument("KEY"), let key = ConfigKey.named(name) {
            Terminal.say(masked(key.text(loaded.config)))
            return .success
        }
        var table = Table("key", "value", "from")
        for key in ConfigKey.all {
            table.add(key.name, masked(key.text(loaded.config)), loaded.origin(of: key).description)
        }
        table.print(asJSON: invocation.wantsJSON)
        if !invocation.wantsJSON { Terminal.say("\nRead from \(Files.absolute(invocation.configPath)).") }
        return .success
    }

    private static let configSet = Subcommand(
        "config set", "Set a key in the configuration file",
        detail: "The file keeps its comments. The coordinator reads it when it starts.",
        arguments: [
            .init("KEY", "the key", choices: ConfigKey.all.map(\.name)),
            .init("VALUE", "its new value; '' for none"),
        ]
    ) { invocation in
        let path = invocation.configPath
        let text = try ConfigEdit.setting(
            invocation.argument("KEY"), to: invocation.argument("VALUE"), in: try Files.text(path), path: path)
        try Files.write(path, Array(text.utf8), mode: Files.mode(of: path) ?? 0o640)
        return .success
    }

    private static let configTemplate = Subcommand(
        "config template", "Write a configuration file of all keys with their documentation and defaults"
    ) { _ in
        Terminal.write(ConfigTemplate.text(), to: 1)
        return .success
    }

    private static let completion = Subcommand(
        "completion", "Write a completion script for a shell",
        detail: "bash: martlet completion bash > /etc/bash_completion.d/martlet",
        arguments: [.init("SHELL", "bash or zsh", choices: ["bash", "zsh"])]
    ) { invocation in
        let isBash = invocation.argument("SHELL") == "bash"
        Terminal.say(isBash ? Completion.bash(Command.all) : Completion.zsh(Command.all))
        return .success
    }

    private static let manual = Subcommand("manual", "Write the manual page, as man reads it") { _ in
        Terminal.write(Manual.page(Command.all), to: 1)
        return .success
    }

    /// postgresql://user:***@host/name
    private static func masked(_ text: String) -> String {
        guard text.hasPrefix("postgres"), let slash = text.lastIndex(of: "/"),
            let at = text.lastIndex(of: "@"), at < slash,
            let colon = text[..<at].lastIndex(of: ":"), !text[colon...].hasPrefix("://")
        else { return text }
        return text[...colon] + "***" + text[at...]
    }
}
