// SPDX-License-Identifier: Apache-2.0
// The process's environment as it was at the start. Read from the kernel: libc's `environ` is a global that any
// thread may change, which Swift rightly refuses to touch.

package enum Environment {
    package static func read() -> [String: String] {
        guard let bytes = try? Files.read("/proc/self/environ") else { return [:] }
        var values: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            values[String(decoding: entry[..<equals], as: UTF8.self)] =
                String(decoding: entry[entry.index(after: equals)...], as: UTF8.self)
        }
        return values
    }
}
