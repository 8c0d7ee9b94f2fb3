// SPDX-License-Identifier: Apache-2.0
// How one kind of value is written in the configuration: read from text, shown as text, and described in the words
// that a refusal and the documentation use.

struct ConfigRefusal: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

struct ConfigForm<Value: Sendable>: Sendable {
    /// "a whole number from 1 to 10"
    let expectation: String
    let choices: [String]
    let parse: @Sendable (String) throws(ConfigRefusal) -> Value?
    let text: @Sendable (Value) -> String

    init(
        _ expectation: String, choices: [String] = [],
        parse: @escaping @Sendable (String) throws(ConfigRefusal) -> Value?,
        text: @escaping @Sendable (Value) -> String
    ) {
        self.expectation = expectation
        self.choices = choices
        self.parse = parse
        self.text = text
    }
}

extension ConfigForm where Value == Int {
    static func integer(_ range: ClosedRange<Int>, zero meaning: String? = nil) -> ConfigForm {
        let zero = meaning.map { ", or 0 for \($0)" } ?? ""
        return ConfigForm("a whole number from \(range.lowerBound) to \(range.upperBound)\(zero)") {
            Int($0).flatMap { range.contains($0) || (meaning != nil && $0 == 0) ? $0 : nil }
        } text: {
            String($0)
        }
    }
}

extension ConfigForm where Value == Bool {
    static var boolean: ConfigForm {
        ConfigForm("true or false", choices: ["true", "false"]) {
            switch $0.lowercased() {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        } text: {
            String($0)
        }
    }
}

extension ConfigForm where Value == String {
    static func text(_ expectation: String, _ isValid: @escaping @Sendable (String) -> Bool = { _ in true })
        -> ConfigForm
    {
        ConfigForm(expectation) {
            isValid($0) ? $0 : nil
        } text: {
            $0
        }
    }

    static var url: ConfigForm {
        ConfigForm("a URL such as https://cloud.example.com") { text in
            guard !text.isEmpty else { return "" }
            let isKnown = text.hasPrefix("http://") || text.hasPrefix("https://")
            let host = text.drop { $0 != ":" }.dropFirst(3)
            guard isKnown, !host.isEmpty, !host.hasPrefix("/"),
                !text.contains(where: { $0 == " " || $0 == "?" || $0 == "#" })
            else { return nil }
            var trimmed = text
            while trimmed.hasSuffix("/") { trimmed.removeLast() }
            return trimmed
        } text: {
            $0
        }
    }
}

extension ConfigForm where Value == [String] {
    static func list(_ expectation: String, _ isValid: @escaping @Sendable (String) -> Bool) -> ConfigForm {
        ConfigForm(expectation + ", separated by commas") { text throws(ConfigRefusal) in
            let words = text.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
            for word in words where !isValid(word) { throw ConfigRefusal("'\(word)' is not understood") }
            return words
        } text: {
            $0.joined(separator: ", ")
        }
    }
}

extension ConfigForm where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    static var choice: ConfigForm {
        let names = Value.allCases.map(\.rawValue)
        return ConfigForm("one of \(names.joined(separator: ", "))", choices: names) {
            Value(rawValue: $0)
        } text: {
            $0.rawValue
        }
    }
}

extension ConfigForm where Value == LogLevel {
    static var logLevel: ConfigForm {
        let names = LogLevel.allCases.map(\.name)
        return ConfigForm("one of \(names.joined(separator: ", "))", choices: names) {
            LogLevel(name: $0)
        } text: {
            $0.name
        }
    }
}

extension ConfigForm where Value == Pattern? {
    static var pattern: ConfigForm {
        ConfigForm("a regular expression") { text throws(ConfigRefusal) in
            if text.isEmpty { return .some(nil) }
            do throws(Pattern.Refusal) {
                return try Pattern(text)
            } catch {
                throw ConfigRefusal(error.description)
            }
        } text: {
            $0?.text ?? ""
        }
    }
}

extension ConfigForm where Value == Config.Address {
    static var address: ConfigForm {
        ConfigForm("an address and a port such as 127.0.0.1:5000 or [::]:5000") { text in
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
                return nil
            }
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = String(host.dropFirst().dropLast())
            } else if host.contains(":") {
                return nil
            }
            return host.contains(" ") ? nil : Config.Address(host: host.isEmpty ? "0.0.0.0" : host, port: port)
        } text: {
            $0.text
        }
    }
}

extension ConfigForm where Value == Config.Storage {
    static var storage: ConfigForm {
        ConfigForm(
            "'sqlite', the path of an SQLite file, or postgresql://user@host/name",
            choices: ["sqlite", "postgresql://"]
        ) { text in
            if text.isEmpty || text == "sqlite" { return .sqlite(path: "") }
            if text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") { return .postgres(url: text) }
            return text.contains("://") ? nil : .sqlite(path: text)
        } text: {
            switch $0 {
            case .sqlite(let path): path.isEmpty ? "sqlite" : path
            case .postgres(let url): url
            }
        }
    }
}

extension ConfigForm where Value == Config.PasswordHash {
    static var passwordHash: ConfigForm {
        ConfigForm(
            "argon2id, argon2id:MiB:passes (8 to 1024, 1 to 10), bcrypt or bcrypt:cost (4 to 18)",
            choices: ["argon2id", "bcrypt"]
        ) { text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            let numbers = parts.dropFirst().compactMap { Int($0) }
            guard numbers.count == parts.count - 1 else { return nil }
            switch (parts.first, numbers.count) {
            case ("argon2id", 0): return .argon2id(memoryMiB: 19, passes: 2)
            case ("argon2id", 2) where (8...1024).contains(numbers[0]) && (1...10).contains(numbers[1]):
                return .argon2id(memoryMiB: numbers[0], passes: numbers[1])
            case ("bcrypt", 0): return .bcrypt(cost: 12)
            case ("bcrypt", 1) where (4...18).contains(numbers[0]): return .bcrypt(cost: numbers[0])
            default: return nil
            }
        } text: {
            switch $0 {
            case .argon2id(let memory, let passes): "argon2id:\(memory):\(passes)"
            case .bcrypt(let cost): "bcrypt:\(cost)"
            }
        }
    }
}
