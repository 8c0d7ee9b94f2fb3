// SPDX-License-Identifier: Apache-2.0
// Standard output, standard error, and questions to a person. Passwords are asked for with the echo off and are never
// taken from the command line, where every user of the machine could read them.

import Core
import Glibc
import JSON

enum Terminal {
    static func say(_ line: String = "") { write(line + "\n", to: 1) }
    static func complain(_ line: String) { write(line + "\n", to: 2) }

    static func write(_ text: String, to file: Int32) {
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + at }, bytes.count - at) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
            at += count
        }
    }

    static func json(_ write: (inout JSONWriter) -> Void) {
        say(String(decoding: JSONWriter.bytes(write), as: UTF8.self))
    }

    static var isInteractive: Bool { isatty(0) == 1 && isatty(2) == 1 }

    /// One line of standard input, without its end; nil at the end of input.
    static func line() -> String? {
        guard var line = readLine(strippingNewline: true) else { return nil }
        if line.hasSuffix("\r") { line.removeLast() }
        return line
    }

    static func askSecretly(_ prompt: String) throws -> String {
        var settings = termios()
        guard tcgetattr(0, &settings) == 0 else { throw CloudError.badRequest("Standard input is not a terminal.") }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(0, TCSAFLUSH, &silent)
        defer {
            tcsetattr(0, TCSAFLUSH, &settings)
            complain("")
        }
        write(prompt, to: 2)
        return line() ?? ""
    }
}

extension Invocation {
    static let passwordOption = Subcommand.Option("--password-stdin", nil, "read the password from standard input")

    /// A new password: from standard input if asked, the environment (MARTLET_PASSWORD), or a person. nil: nobody to
    /// ask.
    func newPassword(of user: String) throws -> String? {
        if has("--password-stdin") {
            guard let password = Terminal.line(), !password.isEmpty else {
                throw CloudError.badRequest("--password-stdin was given, but standard input has no password.")
            }
            return password
        }
        if let password = environment["MARTLET_PASSWORD"], !password.isEmpty { return password }
        guard Terminal.isInteractive else { return nil }
        let password = try Terminal.askSecretly("New password for \(user): ")
        guard !password.isEmpty else { throw CloudError.badRequest("An empty password is not accepted.") }
        guard try Terminal.askSecretly("Once more: ") == password else {
            throw CloudError.badRequest("The two passwords differ; nothing was changed.")
        }
        return password
    }

    func requiredPassword(of user: String) throws -> String {
        if let password = try newPassword(of: user) { return password }
        throw CloudError.badRequest(
            "There is no password: use --password-stdin, set MARTLET_PASSWORD, or run this in a terminal to be asked.")
    }
}

enum GeneratedPassword {
    private static let kinds = ["abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"].map {
        Array($0.utf8)
    }

    /// Twenty-four signs that cannot be taken for each other, of every kind that a rule may ask for, and none that a
    /// shell would change: more than 130 bits.
    static func make(_ entropy: any Entropy) -> String {
        let letters = kinds.flatMap { $0 }
        while true {
            // Bytes above the last whole multiple are left out, so that every letter is as likely.
            let most = 256 / letters.count * letters.count
            let bytes = entropy.bytes(64).filter { Int($0) < most }.prefix(24).map { letters[Int($0) % letters.count] }
            let hasAll = kinds.allSatisfy { kind in bytes.contains { kind.contains($0) } }
            if bytes.count == 24 && hasAll { return String(decoding: bytes, as: UTF8.self) }
        }
    }
}
