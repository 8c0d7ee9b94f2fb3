// SPDX-License-Identifier: Apache-2.0
// The coordinator's command line: where things are, never how it behaves; that is the configuration's.

import Core

struct Options {
    var configPath: String?
    var logPath: String?
    var pidPath: String?
    var isCheckOnly = false
    /// What to print instead of running.
    var answer: String?

    static let usage = """
        Usage: martlet-coordinator [options]

          --config FILE    the configuration (default: $MARTLET_CONFIG, then /etc/martlet/martlet.conf)
          --log-file FILE  append the log to a file, opened again on SIGHUP (default: standard error)
          --pid-file FILE  write the process id there while running
          --check          only read the configuration and say whether it is in order
          --version, --help

        `martlet init` makes a configuration and a first cloud; `martlet help` lists what else it does.
        """

    init(_ words: ArraySlice<String>) throws {
        let names = ["--config", "--log-file", "--pid-file", "--check", "--version", "--help"]
        var rest = words
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            func value() throws -> String {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw CloudError.badRequest("\(word) needs a value.")
                }
                return value
            }
            switch parts.first {
            case "--config": configPath = try value()
            case "--log-file": logPath = try value()
            case "--pid-file": pidPath = try value()
            case "--check": isCheckOnly = true
            case "--version": answer = "martlet-coordinator \(Version.text)"
            case "--help", "-h": answer = Self.usage
            default:
                let nearest = Words.nearest(to: word, in: names)
                throw CloudError.badRequest(
                    "'\(word)' is not an option." + (nearest.map { " Did you mean \($0)?" } ?? " --help lists them."))
            }
        }
        if configPath == nil { configPath = Self.standardConfig }
    }

    private static var standardConfig: String? {
        if let path = Environment.read()["MARTLET_CONFIG"] { return path }
        let path = "/etc/martlet/martlet.conf"
        return Files.exists(path) ? path : nil
    }
}
