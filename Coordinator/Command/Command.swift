// SPDX-License-Identifier: Apache-2.0
// The `martlet` command: sets a cloud up, looks after it, and gets an operator back in who is locked out. It works on
// the configuration and the database directly, so it needs no running coordinator; a running one learns of changes by
// the event feed.

import Core

@main
struct Command {
    static let all: [Subcommand] =
        InitCommand.all + StatusCommand.all + DoctorCommand.all + IdentityCommands.all + DatabaseCommands.all
        + PolicyCommand.all + GeneralCommands.all

    static func main() async {
        restrictNewFiles()
        let environment = Environment.read()
        let code = await run(Array(CommandLine.arguments.dropFirst()), environment: environment)
        exitProcess(code)
    }

    static func run(_ words: [String], environment: [String: String]) async -> ExitCode {
        do {
            return try await dispatch(words, environment: environment)
        } catch let error as UsageError {
            Terminal.complain("martlet: \(error.message)")
            return .usage
        } catch let error as CloudError {
            Terminal.complain("martlet: \(error.message)" + (error.detail.map { "\n  \($0)" } ?? ""))
            return .failure
        } catch {
            Terminal.complain("martlet: \(error)")
            return .failure
        }
    }

    private static func dispatch(_ words: [String], environment: [String: String]) async throws -> ExitCode {
        guard let first = words.first, !["help", "--help", "-h"].contains(first) else {
            return try help(Array(words.dropFirst()))
        }
        if first == "--version" { return try await dispatch(["version"], environment: environment) }
        guard let command = find(words) else {
            if words.count == 1 || words[1].hasPrefix("-"), all.contains(where: { $0.words[0] == first }) {
                Terminal.complain("`martlet \(first)` needs one more word:\n" + Help.group(first, all))
                return .usage
            }
            throw UsageError(Help.unknown(words, all))
        }
        let invocation = try Invocation(command, words[command.words.count...], environment: environment)
        if invocation.wantsHelp {
            Terminal.say(Help.text(command))
            return .success
        }
        return try await command.run(invocation)
    }

    /// The command whose words the line begins with.
    private static func find(_ words: [String]) -> Subcommand? {
        all.filter { words.starts(with: $0.words) }.max { $0.words.count < $1.words.count }
    }

    private static func help(_ words: [String]) throws -> ExitCode {
        guard let first = words.first else {
            Terminal.say(Help.overview(all))
            return .success
        }
        if let command = find(words) {
            Terminal.say(Help.text(command))
        } else if all.contains(where: { $0.words[0] == first }) {
            Terminal.say(Help.group(first, all))
        } else {
            throw UsageError(Help.unknown(words, all))
        }
        return .success
    }
}
