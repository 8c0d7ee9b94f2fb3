// SPDX-License-Identifier: Apache-2.0
// Microversions: a client says which behaviour it was written for, once in OpenStack-API-Version or in a service's
// older header. Nothing said means the lowest, "latest" the highest; what is out of range is refused with 406.

import Core

extension MicroversionRange {
    /// The version this request gets.
    package func negotiate(_ head: RequestHead) throws -> Microversion {
        guard let wanted = wanted(head) else { return lowest }
        if wanted == "latest" { return highest }
        guard let version = Microversion(text: wanted) else {
            throw CloudError.badRequest(
                "API Version String '\(wanted)' is of invalid format. Must be of format MajorNum.MinorNum.")
        }
        guard lowest <= version, version <= highest else {
            throw CloudError(
                .notAcceptable,
                "Version \(version) is not supported by the API. Minimum is \(lowest) and maximum is \(highest).")
        }
        return version
    }

    /// "compute 2.90, volume 3.50": ours is the one that names us.
    private func wanted(_ head: RequestHead) -> String? {
        if let list = head.value("openstack-api-version") {
            for item in list.split(separator: ",") {
                let words = item.split(whereSeparator: { $0 == " " || $0 == "\t" })
                if words.count == 2, words[0].lowercased() == headerType { return String(words[1]).lowercased() }
            }
        }
        guard let legacyHeader else { return nil }
        return head.value(named: legacyHeader).map { $0.lowercased() }
    }

    /// What every answer of the service carries.
    func headers(_ version: Microversion) -> [(name: String, value: String)] {
        var headers = [(name: "OpenStack-API-Version", value: "\(headerType) \(version)")]
        if let legacyHeader { headers.append((legacyHeader, version.description)) }
        headers.append(("Vary", legacyHeader.map { "OpenStack-API-Version, \($0)" } ?? "OpenStack-API-Version"))
        return headers
    }
}

extension Microversion {
    /// "2.90"; at most four digits each.
    package init?(text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ (1...4).contains($0.utf8.count) && $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }),
            let major = Int(parts[0]), let minor = Int(parts[1])
        else { return nil }
        self.init(major, minor)
    }
}

extension RequestHead {
    /// As `value(_:)`, for names known only at run time; any case.
    package func value(named name: String) -> String? {
        let wanted = Array(name.lowercased().utf8)
        for field in fields where field.name.count == wanted.count {
            let isSame = zip(bytes[field.name], wanted).allSatisfy { ($0 &- 0x41 < 26 ? $0 | 0x20 : $0) == $1 }
            if isSame { return String(decoding: bytes[field.value], as: UTF8.self) }
        }
        return nil
    }

    /// The values of every field of that name (in lower case), in order.
    package func values(_ name: StaticString) -> [String] {
        fields.filter { field in
            field.name.count == name.utf8CodeUnitCount
                && field.name.enumerated().allSatisfy { i, at in
                    let byte = bytes[at]
                    return (byte &- 0x41 < 26 ? byte | 0x20 : byte) == name.utf8Start[i]
                }
        }.map { String(decoding: bytes[$0.value], as: UTF8.self) }
    }
}
