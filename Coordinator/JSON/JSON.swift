// SPDX-License-Identifier: Apache-2.0
// A JSON document as a tree: what requests are parsed into, and what keeps fields a service does not know.
// Numbers that do not fit Int keep their text, so nothing a client sent is rounded on its way through.

package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int)
    /// A number with a fraction, an exponent or more digits than Int holds, as it was written.
    case number(String)
    case string(String)
    case array([JSON])
    case object(Object)

    /// Members in the order they were written; names are distinct (the parser refuses repeats).
    package struct Object: Sendable, Equatable, ExpressibleByDictionaryLiteral {
        package private(set) var members: [(name: String, value: JSON)]

        package init() { members = [] }
        package init(_ members: [(name: String, value: JSON)]) { self.members = members }
        package init(dictionaryLiteral elements: (String, JSON)...) {
            members = elements.map { (name: $0.0, value: $0.1) }
        }

        package subscript(name: String) -> JSON? {
            get { members.first { $0.name == name }?.value }
            set {
                guard let at = members.firstIndex(where: { $0.name == name }) else {
                    if let newValue { members.append((name, newValue)) }
                    return
                }
                if let newValue { members[at].value = newValue } else { members.remove(at: at) }
            }
        }

        package var isEmpty: Bool { members.isEmpty }
        package var count: Int { members.count }
        package var names: [String] { members.map(\.name) }

        package static func == (a: Object, b: Object) -> Bool {
            a.count == b.count && a.members.allSatisfy { b[$0.name] == $0.value }
        }
    }

    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var int: Int? { if case .int(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var object: Object? { if case .object(let value) = self { value } else { nil } }
    package var isNull: Bool { self == .null }
    package var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .number(let text): Double(text)
        default: nil
        }
    }

    /// A member of an object; nil when this is no object or has no such member.
    package subscript(name: String) -> JSON? { object?[name] }
    package subscript(index: Int) -> JSON? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// What this is, in the words a fault uses.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    package var bytes: [UInt8] { JSONWriter.bytes { $0.value(self) } }
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Object(elements.map { (name: $0.0, value: $0.1) }))
    }
    package init(nilLiteral: ()) { self = .null }
}
