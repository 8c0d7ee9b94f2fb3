// SPDX-License-Identifier: Apache-2.0
// What one search asks for, in the forms the library takes; and the reader that copies its entries out.

import CLDAP
import Glibc

struct LDAPSearch: Sendable {
    let base: String
    let scope: LDAPScope
    let filter: String
    /// Empty: all.
    let attributes: [String]
    let answerSeconds: Int

    var scopeNumber: Int32 {
        switch scope {
        case .base: 0
        case .oneLevel: 1
        case .subtree: 2
        }
    }

    /// The names as a null-terminated list of C strings, valid during the call.
    func withAttributeNames(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32) -> Int32 {
        if attributes.isEmpty { return body(nil) }
        var names: [UnsafeMutablePointer<CChar>?] = attributes.map { strdup($0) }
        names.append(nil)
        defer { for name in names { free(name) } }
        return names.withUnsafeMutableBufferPointer { body($0.baseAddress) }
    }
}

struct LDAPReader {
    private let handle: OpaquePointer
    init(_ handle: OpaquePointer) { self.handle = handle }

    func entries(_ message: OpaquePointer?) -> [LDAPEntry] {
        var found: [LDAPEntry] = []
        var entry = ldap_first_entry(handle, message)
        while let current = entry {
            if let name = ldap_get_dn(handle, current) {
                found.append(LDAPEntry(name: String(cString: name), values: values(current)))
                ldap_memfree(name)
            }
            entry = ldap_next_entry(handle, current)
        }
        return found
    }

    private func values(_ entry: OpaquePointer) -> [String: [[UInt8]]] {
        var all: [String: [[UInt8]]] = [:]
        var cursor: OpaquePointer?
        var name = ldap_first_attribute(handle, entry, &cursor)
        while let current = name {
            all[String(cString: current), default: []] += bytes(entry, current)
            ldap_memfree(current)
            name = ldap_next_attribute(handle, entry, cursor)
        }
        ber_free(cursor, 0)
        return all
    }

    private func bytes(_ entry: OpaquePointer, _ attribute: UnsafePointer<CChar>) -> [[UInt8]] {
        guard let list = ldap_get_values_len(handle, entry, attribute) else { return [] }
        defer { ldap_value_free_len(list) }
        var found: [[UInt8]] = []
        var at = list
        while let value = at.pointee {
            found.append(Array(UnsafeRawBufferPointer(start: value.pointee.bv_val, count: Int(value.pointee.bv_len))))
            at += 1
        }
        return found
    }
}
