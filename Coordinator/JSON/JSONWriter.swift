// SPDX-License-Identifier: Apache-2.0
// Writes JSON as UTF-8 straight into one growing buffer. Non-copyable: one owner, no reference counting on the way.
//
//     JSONWriter.bytes { w in
//         w.object { w in
//             w.field("id", user.id.text)
//             w.array("tags") { w in for tag in tags { w.string(tag) } }
//         }
//     }

package struct JSONWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    package private(set) var count = 0
    /// No comma is due before the next member or element.
    private var isFirst = true

    package init(capacity: Int = 1024) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    package static func bytes(capacity: Int = 1024, _ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        write(&writer)
        return writer.take()
    }

    package consuming func take() -> [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }

    // MARK: Structure

    @inline(__always)
    package mutating func object(_ write: (inout JSONWriter) -> Void) {
        separate()
        put(UInt8(ascii: "{"))
        isFirst = true
        write(&self)
        put(UInt8(ascii: "}"))
        isFirst = false
    }

    @inline(__always)
    package mutating func array(_ write: (inout JSONWriter) -> Void) {
        separate()
        put(UInt8(ascii: "["))
        isFirst = true
        write(&self)
        put(UInt8(ascii: "]"))
        isFirst = false
    }

    /// A member's name that needs no escaping.
    @inline(__always)
    package mutating func key(_ name: StaticString) {
        separate()
        put(UInt8(ascii: "\""))
        append(name)
        append("\":")
        isFirst = true
    }

    package mutating func key(_ name: String) {
        separate()
        quote(name)
        put(UInt8(ascii: ":"))
        isFirst = true
    }

    @inline(__always)
    package mutating func object(_ name: StaticString, _ write: (inout JSONWriter) -> Void) {
        key(name)
        object(write)
    }

    @inline(__always)
    package mutating func array(_ name: StaticString, _ write: (inout JSONWriter) -> Void) {
        key(name)
        array(write)
    }

    // MARK: Members

    package mutating func field(_ name: StaticString, _ value: String) { key(name); string(value) }
    package mutating func field(_ name: StaticString, _ value: Int) { key(name); int(value) }
    package mutating func field(_ name: StaticString, _ value: Bool) { key(name); bool(value) }
    package mutating func field(_ name: StaticString, _ value: JSON) { key(name); self.value(value) }
    package mutating func field(_ name: StaticString, _ values: [String]) {
        array(name) { w in for value in values { w.string(value) } }
    }
    /// Writes null when there is no value.
    package mutating func field(_ name: StaticString, orNull value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }
    package mutating func field(_ name: StaticString, orNull value: Int?) {
        key(name)
        if let value { int(value) } else { null() }
    }
    package mutating func field(_ name: StaticString, orNull value: Bool?) {
        key(name)
        if let value { bool(value) } else { null() }
    }
    /// Every member of an object, into the object being written.
    package mutating func members(_ object: JSON.Object) {
        for (name, value) in object.members {
            key(name)
            self.value(value)
        }
    }

    // MARK: Values

    package mutating func string(_ value: String) { separate(); quote(value) }
    package mutating func null() { separate(); append("null") }
    package mutating func bool(_ value: Bool) { separate(); if value { append("true") } else { append("false") } }

    package mutating func int(_ value: Int) {
        separate()
        reserve(20)
        var rest = value.magnitude
        var digits = 0
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { scratch in
            repeat {
                scratch[digits] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
                rest /= 10
                digits += 1
            } while rest > 0
            if value < 0 { put(UInt8(ascii: "-")) }
            while digits > 0 {
                digits -= 1
                put(scratch[digits])
            }
        }
    }

    package mutating func value(_ value: JSON) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .int(let value): int(value)
        case .number(let text): separate(); raw(text)
        case .string(let value): string(value)
        case .array(let elements): array { w in for element in elements { w.value(element) } }
        case .object(let object): self.object { w in w.members(object) }
        }
    }

    /// One value that is JSON already.
    package mutating func rendered(_ bytes: [UInt8]) {
        separate()
        bytes.withUnsafeBufferPointer { append($0) }
    }

    // MARK: Bytes

    @inline(__always)
    private mutating func separate() {
        if isFirst { isFirst = false } else { put(UInt8(ascii: ",")) }
    }

    @inline(__always)
    private mutating func reserve(_ more: Int) { if count + more > capacity { grow(more) } }

    @inline(never)
    private mutating func grow(_ more: Int) {
        capacity = max(capacity * 2, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count += 1
    }

    @inline(__always)
    private mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let from = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (base + count).update(from: from, count: bytes.count)
        count += bytes.count
    }

    private mutating func raw(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    private mutating func quote(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            reserve(utf8.count + 2)
            put(UInt8(ascii: "\""))
            var at = 0
            while true {
                let plain = JSONScan.plain(utf8, from: at).count
                append(UnsafeBufferPointer(rebasing: utf8[at..<at + plain]))
                at += plain
                if at == utf8.count { break }
                escape(utf8[at])
                at += 1
            }
            put(UInt8(ascii: "\""))
        }
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22: append("\\\"")
        case 0x5c: append("\\\\")
        case 0x0a: append("\\n")
        case 0x0d: append("\\r")
        case 0x09: append("\\t")
        default:
            let hex: StaticString = "0123456789abcdef"
            append("\\u00")
            put(hex.utf8Start[Int(byte >> 4)])
            put(hex.utf8Start[Int(byte & 15)])
        }
    }
}
