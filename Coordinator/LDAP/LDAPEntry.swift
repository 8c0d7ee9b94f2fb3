// SPDX-License-Identifier: Apache-2.0
// One entry that a search found, copied out of the library's memory.

package struct LDAPEntry: Sendable, Equatable {
    package let name: String
    /// By attribute, in lower case as names are compared.
    private let values: [String: [[UInt8]]]

    package init(name: String, values: [String: [[UInt8]]]) {
        self.name = name
        self.values = Dictionary(values.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { $0 + $1 })
    }

    package var attributes: [String] { values.keys.sorted() }
    package func bytes(_ attribute: String) -> [[UInt8]] { values[attribute.lowercased()] ?? [] }
    /// The values that are UTF-8.
    package func strings(_ attribute: String) -> [String] {
        bytes(attribute).compactMap { String(validating: $0, as: UTF8.self) }
    }
    package func first(_ attribute: String) -> String? { strings(attribute).first }
}

package enum LDAPScope: Sendable { case base, oneLevel, subtree }
