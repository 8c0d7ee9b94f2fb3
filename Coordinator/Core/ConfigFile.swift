// SPDX-License-Identifier: Apache-2.0
// Reads the configuration: a file of "key = value" lines, then the environment (MARTLET_<KEY>) over it. A line whose
// first sign is '#' is a comment. Whatever is not understood is an error that names the place and, where there is
// one, the nearest key: a setting that is silently ignored is worse than a service that does not start.

package struct LoadedConfig: Sendable {
    package enum Origin: Sendable, Equatable, CustomStringConvertible {
        case standard
        case line(Int)
        case environment
        package var description: String {
            switch self {
            case .standard: "default"
            case .line(let number): "line \(number)"
            case .environment: "environment"
            }
        }
    }

    package var config = Config()
    /// Where each key that is not at its default was set.
    package private(set) var origins: [String: Origin] = [:]

    package func origin(of key: ConfigKey) -> Origin { origins[key.name] ?? .standard }

    /// Names that begin like keys and mean something else.
    private static let otherVariables = ["MARTLET_CONFIG", "MARTLET_PASSWORD", "MARTLET_ADMIN_PASSWORD"]

    /// `path` nil: defaults and the environment only.
    package static func load(_ path: String?, environment: [String: String]) throws(CloudError) -> LoadedConfig {
        var loaded = LoadedConfig()
        if let path { try loaded.read(try Files.text(path), path: path) }
        try loaded.read(environment)
        try loaded.finish(directory: path.map { Files.directory(of: Files.absolute($0)) } ?? Files.absolute("."))
        return loaded
    }

    package mutating func read(_ text: String, path: String) throws(CloudError) {
        for (i, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = Self.trim(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let place = "\(path):\(i + 1)"
            guard let equals = line.firstIndex(of: "=") else {
                throw .badRequest("\(place): '\(line.prefix(60))' is not understood; a line is 'key = value'.")
            }
            let name = Self.trim(line[..<equals])
            guard let key = ConfigKey.named(name) else { throw Self.unknown(name, place) }
            if case .line(let earlier) = origins[name] {
                throw .badRequest("\(place): \(name) is set twice, first in line \(earlier); remove one of them.")
            }
            try set(key, Self.trim(line[line.index(after: equals)...]), place, .line(i + 1))
        }
    }

    private mutating func read(_ environment: [String: String]) throws(CloudError) {
        let names = ConfigKey.all.map(\.environmentName)
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("MARTLET_") {
            if let key = ConfigKey.all.first(where: { $0.environmentName == name }) {
                try set(key, Self.trim(value[...]), "environment variable \(name)", .environment)
            } else if !Self.otherVariables.contains(name), let nearest = Words.nearest(to: name, in: names) {
                throw .badRequest("Environment variable \(name) names no key; did you mean \(nearest)?")
            }
        }
    }

    private mutating func set(_ key: ConfigKey, _ value: String, _ place: String, _ origin: Origin) throws(CloudError) {
        do {
            try key.set(&config, value)
        } catch {
            throw .badRequest("\(place): \(key.name) is '\(value)': \(error.reason).")
        }
        origins[key.name] = origin
    }

    /// Rules between keys, and paths made absolute.
    private mutating func finish(directory: String) throws(CloudError) {
        config.dataDirectory = Files.resolve(config.dataDirectory, in: directory)
        config.tlsCertificate = Files.resolve(config.tlsCertificate, in: directory)
        config.tlsKey = Files.resolve(config.tlsKey, in: directory)
        config.auditLog = Files.resolve(config.auditLog, in: directory)
        config.policyFile = Files.resolve(config.policyFile, in: directory)
        if case .sqlite(let path) = config.storage {
            config.storage = .sqlite(path: Files.resolve(path, in: directory))
        }
        if config.tlsCertificate.isEmpty != config.tlsKey.isEmpty {
            let missing = config.tlsKey.isEmpty ? "tls_key" : "tls_certificate"
            throw .badRequest("Of tls_certificate and tls_key only one is set; set \(missing) too, or neither.")
        }
        if config.passwordExpiresDays > 0, config.passwordMinimumAgeDays >= config.passwordExpiresDays {
            throw .badRequest(
                "password_minimum_age_days (\(config.passwordMinimumAgeDays)) must be less than password_expires_days "
                    + "(\(config.passwordExpiresDays)), or passwords expire before they may be changed.")
        }
    }

    private static func unknown(_ name: String, _ place: String) -> CloudError {
        let nearest = Words.nearest(to: name, in: ConfigKey.all.map(\.name))
        return .badRequest(
            "\(place): '\(name)' is not a key"
                + (nearest.map { "; did you mean '\($0)'?" } ?? ". `martlet config` lists them."))
    }

    static func trim(_ text: Substring) -> String {
        var text = text
        while let last = text.unicodeScalars.last, last == " " || last == "\t" || last == "\r" {
            text.unicodeScalars.removeLast()
        }
        while let first = text.unicodeScalars.first, first == " " || first == "\t" { text.unicodeScalars.removeFirst() }
        return String(text)
    }
}

/// The file that `martlet init` writes: every key with its documentation, commented out where it is at its default.
package enum ConfigTemplate {
    package static func text(_ values: [String: String] = [:]) -> String {
        var out = """
            # Configuration of Martlet: 'key = value' lines; a line beginning with '#' is a comment.
            # Keys that are commented out show their defaults. Each can also be set in the environment: MARTLET_LISTEN …
            # `martlet config` shows what is in force and where it comes from.

            """
        for key in ConfigKey.all {
            out += "\n"
            for line in key.documentation.split(separator: "\n") { out += "# \(line)\n" }
            if let value = values[key.name] {
                out += "\(key.name) = \(value)\n"
            } else {
                let text = key.defaultText
                out += text.isEmpty ? "#\(key.name) =\n" : "#\(key.name) = \(text)\n"
            }
        }
        return out
    }
}

/// Changes one key of a configuration file and leaves the rest as the operator wrote it.
package enum ConfigEdit {
    package static func setting(_ name: String, to value: String, in text: String, path: String) throws(CloudError)
        -> String
    {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let line = "\(name) = \(value)"
        if let at = lines.firstIndex(where: { isSetting(name, $0[...]) }) {
            lines[at] = line
        } else if let at = lines.firstIndex(where: { $0.hasPrefix("#") && isSetting(name, $0.dropFirst()) }) {
            lines[at] = line
        } else {
            if lines.last == "" { lines.removeLast() }
            lines += [line, ""]
        }
        let edited = lines.joined(separator: "\n")
        var check = LoadedConfig()
        try check.read(edited, path: path)
        return edited
    }

    private static func isSetting(_ name: String, _ line: Substring) -> Bool {
        guard let equals = line.firstIndex(of: "=") else { return false }
        return LoadedConfig.trim(line[..<equals]) == name
    }
}
