// SPDX-License-Identifier: Apache-2.0
// The manual page martlet(1), made from the tables of commands and of configuration keys.

import Core

enum Manual {
    static func page(_ commands: [Subcommand]) -> String {
        var out = """
            .\\" Made by `martlet manual`; do not edit.
            .TH MARTLET 1 "" "Martlet \(Version.text)" "Martlet"
            .SH NAME
            martlet \\- set up and look after a Martlet cloud
            .SH SYNOPSIS
            .B martlet
            .I command
            [\\fIarguments\\fR] [\\fIoptions\\fR]
            .SH DESCRIPTION
            Martlet is a cloud that speaks OpenStack's APIs. Its coordinator, \\fBmartlet\\-coordinator\\fR, serves
            them; \\fBmartlet\\fR makes a cloud, checks it, backs it up and gets an operator back in who is locked out.
            It works on
            the configuration and the database directly, whether a coordinator runs or not.
            .SH COMMANDS

            """
        for command in commands { out += entry(command) }
        out += ".SH OPTIONS OF EVERY COMMAND\n" + Subcommand.common.map(option).joined()
        out += """
            .SH CONFIGURATION
            One file of \\fIkey\\fR = \\fIvalue\\fR lines; a line beginning with # is a comment. Each key can also be
            set in the
            environment: \\fBMARTLET_LISTEN\\fR and so on.

            """
        for key in ConfigKey.all {
            let standard = key.defaultText.isEmpty ? "empty" : key.defaultText
            out += ".TP\n.B \(escaped(key.name))\n\(escaped(key.documentation)) Default: \(escaped(standard)).\n"
        }
        return out + """
            .SH FILES
            .TP
            .I /etc/martlet/martlet.conf
            The configuration, unless \\fB\\-\\-config\\fR, \\fBMARTLET_CONFIG\\fR or the program's own state directory
            say otherwise.
            .TP
            .I /var/lib/martlet
            The database and the secret key.
            .SH SIGNALS OF THE COORDINATOR
            \\fBSIGTERM\\fR: finish the requests under way and end.
            \\fBSIGHUP\\fR: read the TLS certificate and open the log anew.
            .SH EXIT STATUS
            0 when done, 1 when it failed or something is wrong, 2 when the command line makes no sense.

            """
    }

    private static func entry(_ command: Subcommand) -> String {
        let detail = command.detail.isEmpty ? "" : " \(command.detail)"
        var out = ".TP\n.B \(escaped(command.usage))\n\(escaped(command.summary + "." + detail))\n"
        guard !command.options.isEmpty || !command.arguments.isEmpty else { return out }
        out += ".RS\n"
        for argument in command.arguments { out += ".TP\n.I \(escaped(argument.name))\n\(escaped(argument.summary))\n" }
        for item in command.options { out += option(item) }
        return out + ".RE\n"
    }

    private static func option(_ option: Subcommand.Option) -> String {
        let value = option.value.map { " \\fI\(escaped($0))\\fR" } ?? ""
        return ".TP\n.B \(escaped(option.name))\(value)\n\(escaped(option.summary))\n"
    }

    /// Hyphens stay hyphens, and no line begins with one of roff's own signs.
    private static func escaped(_ text: String) -> String {
        var out = ""
        var isLineStart = true
        for scalar in text.unicodeScalars {
            if isLineStart && (scalar == "." || scalar == "'") { out += "\\&" }
            switch scalar {
            case "\\": out += "\\e"
            case "-": out += "\\-"
            default: out.unicodeScalars.append(scalar)
            }
            isLineStart = scalar == "\n"
        }
        return out
    }
}
