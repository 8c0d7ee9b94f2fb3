// SPDX-License-Identifier: Apache-2.0
// The operator's own policy rules: a file that overrides single rules of the table. Two forms, so that the files
// OpenStack's operators have can be taken over:
//
//     "identity:list_users": "role:admin or role:auditor"      one a line; quotes may be left out, '#' begins a comment
//     {"identity:list_users": "role:admin", …}                 or all of it as one JSON object

import JSON

package enum PolicyFile {
    package static func read(_ path: String) throws(CloudError) -> [String: String] {
        try parse(try Files.text(path), path: path)
    }

    package static func parse(_ text: String, path: String) throws(CloudError) -> [String: String] {
        if text.unicodeScalars.first(where: { !$0.properties.isWhitespace }) == "{" { return try json(text, path) }
        var rules: [String: String] = [:]
        for (i, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = LoadedConfig.trim(line)
            if line.isEmpty || line.hasPrefix("#") || line == "---" { continue }
            let place = "\(path):\(i + 1)"
            guard let (name, expression) = pair(line) else {
                throw .badRequest("\(place): a line is \"rule\": \"expression\", not '\(line.prefix(80))'.")
            }
            guard rules.updateValue(expression, forKey: name) == nil else {
                throw .badRequest("\(place): the rule \(name) is set twice; remove one of them.")
            }
        }
        return rules
    }

    private static func json(_ text: String, _ path: String) throws(CloudError) -> [String: String] {
        guard let object = (try? JSON.parse(Array(text.utf8)))?.object else {
            throw .badRequest("\(path) is not valid JSON; it must be one object of \"rule\": \"expression\" members.")
        }
        var rules: [String: String] = [:]
        for (name, value) in object.members {
            guard let expression = value.string else {
                throw .badRequest("\(path): the rule \(name) must be a string, not \(value.kindName).")
            }
            rules[name] = expression
        }
        return rules
    }

    /// A name ends at its closing quote, or at the first colon that a space follows.
    private static func pair(_ line: String) -> (String, String)? {
        let scalars = Array(line.unicodeScalars)
        guard let first = scalars.first else { return nil }
        let isQuoted = first == "\"" || first == "'"
        var colon: Int?
        if isQuoted, let close = scalars.dropFirst().firstIndex(of: first) {
            colon = scalars[(close + 1)...].firstIndex { $0 != " " }
        } else {
            colon = scalars.indices.first { scalars[$0] == ":" && ($0 + 1 == scalars.count || scalars[$0 + 1] == " ") }
        }
        guard let colon, scalars[colon] == ":" else { return nil }
        guard let name = bare(scalars[..<colon]), let expression = bare(scalars[(colon + 1)...]), !name.isEmpty else {
            return nil
        }
        return (name, expression)
    }

    /// Without blanks around, and without its quotes; nil when a quote is left open.
    private static func bare(_ scalars: ArraySlice<Unicode.Scalar>) -> String? {
        var text = String(String.UnicodeScalarView(scalars))
        text = LoadedConfig.trim(text[...])
        guard let first = text.first, first == "\"" || first == "'" else { return text }
        guard text.count > 1, text.last == first else { return nil }
        return String(text.dropFirst().dropLast())
    }
}
