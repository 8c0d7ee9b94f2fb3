// SPDX-License-Identifier: Apache-2.0
// A growing run of bytes that one event loop fills again and again: response heads and log lines are put together here
// without an allocation each.

final class ByteBuffer {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

    /// Empties the buffer; one that grew large gives its memory back.
    func clear(keeping most: Int) {
        count = 0
        if capacity <= most { return }
        base.deallocate()
        capacity = most
        base = .allocate(capacity: capacity)
    }

    @inline(__always)
    private func reserve(_ more: Int) { if count + more > capacity { grow(more) } }

    @inline(never)
    private func grow(_ more: Int) {
        capacity = max(capacity * 2, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
    }

    @inline(__always)
    func append(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count += 1
    }

    @inline(__always)
    func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let from = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (base + count).update(from: from, count: bytes.count)
        count += bytes.count
    }

    @inline(__always)
    func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func append(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { append($0) } }

    func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    func append(decimal value: Int) {
        reserve(20)
        var rest = value.magnitude
        let start = count
        if value < 0 { append(UInt8(ascii: "-")) }
        let first = count
        repeat {
            base[count] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
            rest /= 10
            count += 1
        } while rest > 0
        var low = first, high = count - 1
        while low < high {
            swap(&base[low], &base[high])
            low += 1
            high -= 1
        }
        assert(count - start <= 20)
    }

    func append(hexadecimal value: Int) { append(String(value, radix: 16)) }

    /// A header's value: bytes that would end the line become spaces.
    func append(fieldValue text: String) {
        var text = text
        text.withUTF8 { utf8 in
            let start = count
            append(utf8)
            for i in start..<count where base[i] < 0x20 && base[i] != 0x09 || base[i] == 0x7f { base[i] = 0x20 }
        }
    }

    /// The inside of a JSON string.
    func append(jsonText text: UnsafeBufferPointer<UInt8>) {
        var isPlain = true
        for byte in text where byte < 0x20 || byte == 0x22 || byte == 0x5c { isPlain = false }
        if isPlain { return append(text) }
        for byte in text {
            if byte == 0x22 || byte == 0x5c { append(0x5c) }
            append(byte < 0x20 ? UInt8(ascii: "?") : byte)
        }
    }

    func append(jsonText text: String) {
        var text = text
        text.withUTF8 { append(jsonText: $0) }
    }
}
