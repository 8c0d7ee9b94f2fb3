// SPDX-License-Identifier: Apache-2.0
// One run of a command: its arguments as given, the configuration it works on, and where its answer goes.

import Core

struct Invocation: Sendable {
    private let values: [String: [String]]
    private let positions: [String: String]
    let environment: [String: String]

    /// Takes the words after the command's own; a word it does not know is refused with the nearest one it does.
    init(_ command: Subcommand, _ words: ArraySlice<String>, environment: [String: String]) throws {
        var values: [String: [String]] = [:]
        var given: [String] = []
        let options = command.options + Subcommand.common
        var rest = words
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-" else {
                given.append(word)
                continue
            }
            if word == "--" {
                given += rest
                break
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = parts[0] == "-h" ? "--help" : parts[0]
            guard let option = options.first(where: { $0.name == name }) else {
                let nearest = Words.nearest(to: name, in: options.map(\.name))
                throw UsageError(
                    "martlet \(command.name) has no option \(name)." + (nearest.map { " Did you mean \($0)?" } ?? ""))
            }
            if values[name] != nil && !option.isRepeatable { throw UsageError("\(name) is given twice.") }
            if option.value == nil {
                guard parts.count == 1 else { throw UsageError("\(name) takes no value.") }
                values[name, default: []].append("")
            } else {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw UsageError("\(name) needs a value: \(name) \(option.value ?? "").")
                }
                if !option.choices.isEmpty, !option.choices.contains(value) {
                    throw UsageError("\(name) is one of \(option.choices.joined(separator: ", ")), not '\(value)'.")
                }
                values[name, default: []].append(value)
            }
        }
        self.values = values
        self.environment = environment
        positions = values["--help"] == nil ? try Self.place(given, command) : [:]
    }

    private static func place(_ given: [String], _ command: Subcommand) throws -> [String: String] {
        if given.count > command.arguments.count {
            throw UsageError("'\(given[command.arguments.count])' is one word too many. Usage: \(command.usage)")
        }
        for argument in command.arguments.dropFirst(given.count) where !argument.isOptional {
            throw UsageError("\(argument.name) is missing: \(argument.summary). Usage: \(command.usage)")
        }
        for (argument, word) in zip(command.arguments, given)
        where !argument.choices.isEmpty && !argument.choices.contains(word) {
            let nearest = Words.nearest(to: word, in: argument.choices)
            throw UsageError(
                "\(argument.name) is one of \(argument.choices.joined(separator: ", "))."
                    + (nearest.map { " Did you mean \($0)?" } ?? ""))
        }
        return Dictionary(zip(command.arguments.map(\.name), given), uniquingKeysWith: { first, _ in first })
    }

    func has(_ option: String) -> Bool { values[option] != nil }
    func value(_ option: String) -> String? { values[option]?.last }
    func all(_ option: String) -> [String] { values[option] ?? [] }
    /// A positional argument; empty when it is optional and absent.
    func argument(_ name: String) -> String { positions[name] ?? "" }
    func optionalArgument(_ name: String) -> String? { positions[name] }
    var wantsJSON: Bool { has("--json") }
    var wantsHelp: Bool { has("--help") }
}

extension Invocation {
    static let systemConfig = "/etc/martlet/martlet.conf"

    /// --config, MARTLET_CONFIG, the state directory this program was installed into (…/bin/martlet), then /etc.
    var configPath: String {
        if let path = value("--config") ?? environment["MARTLET_CONFIG"] { return path }
        let program = Files.absolute("/proc/self/exe")
        let beside = Files.directory(of: Files.directory(of: program)) + "/martlet.conf"
        return Files.exists(beside) ? beside : Self.systemConfig
    }

    func loadedConfig() throws -> LoadedConfig {
        let path = configPath
        guard Files.exists(path) else {
            throw CloudError.badRequest(
                "There is no configuration at \(path). Run `martlet init`, or name the file: --config FILE.")
        }
        return try LoadedConfig.load(path, environment: environment)
    }

    func config() throws -> Config { try loadedConfig().config }
}
