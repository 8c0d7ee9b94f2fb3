// SPDX-License-Identifier: Apache-2.0
// What clients read first: the versions identity speaks, and (JSON Home) where its resources are.

import Core
import HTTP
import JSON

struct VersionRoutes {
    let settings: IdentitySettings
    /// Every route of identity: JSON Home is made of it.
    let patterns: [String]

    var routes: [Route] {
        [
            Route(.get, "/", open: .open) { call in versions(call) },
            Route(.get, "/v3", open: .open) { call in version(call) },
        ]
    }

    private func versions(_ call: Call) -> Response {
        if wantsHome(call) { return home(prefix: "/v3") }
        return .json(.multipleChoices) { w in
            w.object { w in
                w.object("versions") { w in w.array("values") { w in writeVersion(&w) } }
            }
        }.with("Vary", "X-Auth-Token").with("Location", base + "/v3/")
    }

    private func version(_ call: Call) -> Response {
        if wantsHome(call) { return home(prefix: "") }
        return .json { w in
            w.object { w in
                w.key("version")
                writeVersion(&w)
            }
        }.with("Vary", "X-Auth-Token")
    }

    private var base: String { settings.publicURL + "/identity" }

    private func writeVersion(_ w: inout JSONWriter) {
        w.object { w in
            w.field("id", "v3.14")
            w.field("status", "stable")
            w.field("updated", "2020-04-07T00:00:00Z")
            w.array("links") { w in
                w.object { w in
                    w.field("rel", "self")
                    w.field("href", base + "/v3/")
                }
            }
            w.array("media-types") { w in
                w.object { w in
                    w.field("base", "application/json")
                    w.field("type", "application/vnd.openstack.identity-v3+json")
                }
            }
        }
    }

    // MARK: JSON Home

    private func wantsHome(_ call: Call) -> Bool {
        call.request.head.value("accept")?.contains("application/json-home") ?? false
    }

    private func home(prefix: String) -> Response {
        let bytes = JSONWriter.bytes(capacity: 16_384) { w in
            w.object { w in
                w.object("resources") { w in
                    for pattern in patterns where pattern.hasPrefix("/v3/") { write(&w, pattern, prefix: prefix) }
                }
            }
        }
        return Response(.ok, body: .bytes(bytes)).with("Content-Type", "application/json-home").with("Vary", "Accept")
    }

    private func write(_ w: inout JSONWriter, _ pattern: String, prefix: String) {
        let names = Self.parameters(pattern)
        w.key(HomeRelation.relation(pattern))
        w.object { w in
            let place = prefix + String(pattern.dropFirst("/v3".count))
            if names.isEmpty {
                w.field("href", place)
            } else {
                w.field("href-template", place)
                w.object("href-vars") { w in
                    for name in names {
                        w.key(name)
                        w.string(HomeRelation.parameter(name))
                    }
                }
            }
        }
    }

    private static func parameters(_ pattern: String) -> [String] {
        pattern.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}

/// Names of resources in JSON Home: a core relation for what every Keystone has, one of an extension for the rest.
enum HomeRelation {
    private static let root = "https://docs.openstack.org/api/openstack-identity/3"

    static func relation(_ pattern: String) -> String {
        let words = pattern.split(separator: "/").dropFirst()
        guard let first = words.first else { return root + "/rel/root" }
        let isExtension = first.hasPrefix("OS-")
        let place = isExtension ? "\(root)/ext/\(first)/1.0/rel/" : "\(root)/rel/"
        let own = isExtension ? words.dropFirst() : words
        let endsInParameter = own.last?.hasPrefix("{") ?? false
        var names = own.filter { !$0.hasPrefix("{") }.map { String($0.replacing("-", with: "_")) }
        if endsInParameter, let last = names.last { names[names.count - 1] = singular(last) }
        return place + (names.isEmpty ? String(first) : names.joined(separator: "_"))
    }

    static func parameter(_ name: String) -> String { "\(root)/param/\(name)" }

    private static func singular(_ word: String) -> String {
        if word.hasSuffix("ies") { return word.dropLast(3) + "y" }
        return word.hasSuffix("s") ? String(word.dropLast()) : word
    }
}
