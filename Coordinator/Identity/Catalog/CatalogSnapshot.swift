// SPDX-License-Identifier: Apache-2.0
// The whole catalog in memory, ready to be written into a token: for a caller only ids are put between prepared
// bytes. Invariant: an endpoint is shown only when it and its service are enabled, its URL can be filled in for the
// caller, and the caller's project is not restricted to other endpoints (OS-EP-FILTER).

import Core
import Database
import JSON

package struct CatalogSnapshot: Sendable {
    private let services: [Service]
    private let withProject: Template
    private let withoutProject: Template
    /// Projects that are restricted to some endpoints; the others need no look at a filter.
    private let restrictions: [ID<Project>: Set<ID<Endpoint>>]

    /// The array of services: `[{"endpoints": […], "id", "type", "name"}, …]`.
    package func render(project: ID<Project>?, user: ID<User>, into writer: inout JSONWriter) {
        writer.rendered(bytes(project: project, user: user))
    }

    package func bytes(project: ID<Project>?, user: ID<User>) -> [UInt8] {
        guard let project else { return withoutProject.filled(project: "", user: user.text) }
        guard !restrictions.isEmpty, let allowed = restrictions[project] else {
            return withProject.filled(project: project.text, user: user.text)
        }
        let template = Self.template(services, showsEmptyServices: false) { allowed.contains($0.id) }
        return template.filled(project: project.text, user: user.text)
    }

    // MARK: Making it

    fileprivate struct Service: Sendable {
        let id: String
        let type: String
        let name: String
        var endpoints: [Shown] = []
    }

    fileprivate struct Shown: Sendable {
        let id: ID<Endpoint>
        let interface: String
        let region: String?
        let url: EndpointURL
    }

    /// Three statements.
    package static func load(_ connection: any Connection) throws -> CatalogSnapshot { try CatalogSnapshot(connection) }

    private init(_ connection: any Connection) throws {
        let rows = try connection.rows(
            """
            SELECT s.id, s.type, s.name, s.enabled, e.id, e.interface, e.region_id, e.url, e.enabled, e.service_id
            FROM service s LEFT JOIN endpoint e ON e.service_id = s.id ORDER BY s.type, s.id, e.interface, e.id
            """)
        services = Self.services(rows)
        restrictions = try Self.restrictions(rows.filter { $0.optionalText(4) != nil }, connection)
        withProject = Self.template(services, showsEmptyServices: true) { _ in true }
        withoutProject = Self.template(services, showsEmptyServices: true) { !$0.url.needsProject }
    }

    private static func services(_ rows: [Row]) -> [Service] {
        var services: [Service] = []
        for row in rows where row.bool(3) {
            if services.last?.id != row.text(0) {
                services.append(Service(id: row.text(0), type: row.text(1), name: row.text(2)))
            }
            guard row.bool(8), let url = EndpointURL(row.text(7)) else { continue }
            services[services.count - 1].endpoints.append(
                Shown(id: row.id(4), interface: row.text(5), region: row.optionalText(6), url: url))
        }
        return services
    }

    /// Endpoints associated to projects one by one, and by groups whose filters choose among all endpoints.
    private static func restrictions(
        _ endpoints: [Row], _ connection: any Connection
    ) throws -> [ID<Project>: Set<ID<Endpoint>>] {
        var restrictions: [ID<Project>: Set<ID<Endpoint>>] = [:]
        for row in try connection.rows("SELECT project_id, endpoint_id FROM project_endpoint") {
            restrictions[row.id(0), default: []].insert(row.id(1))
        }
        let groups = try connection.rows(
            """
            SELECT p.project_id, g.filters
            FROM project_endpoint_group p JOIN endpoint_group g ON g.id = p.endpoint_group_id
            """)
        for group in groups {
            let filters = EndpointFilters(StoredJSON.object(group.text(1)))
            let chosen = endpoints.filter { row in
                filters.match { name in
                    switch name {
                    case "interface": row.text(5)
                    case "region_id": row.optionalText(6)
                    case "service_id": row.text(9)
                    default: nil
                    }
                }
            }
            if !chosen.isEmpty { restrictions[group.id(0), default: []].formUnion(chosen.map { $0.id(4) }) }
        }
        return restrictions
    }

    private static func template(
        _ services: [Service], showsEmptyServices: Bool, _ isShown: (Shown) -> Bool
    ) -> Template {
        var template = Template()
        template.add("[")
        var isFirst = true
        for service in services {
            let endpoints = service.endpoints.filter(isShown)
            if endpoints.isEmpty && !showsEmptyServices { continue }
            template.add(isFirst ? "{\"endpoints\":[" : ",{\"endpoints\":[")
            isFirst = false
            for (i, endpoint) in endpoints.enumerated() {
                if i > 0 { template.add(",") }
                template.add(endpoint)
            }
            let rest: JSON.Object = [
                "id": .string(service.id), "type": .string(service.type), "name": .string(service.name),
            ]
            template.add("],")
            template.add(JSON.object(rest).text.dropFirst())
        }
        template.add("]")
        return template
    }
}

/// Bytes with places between them.
private struct Template: Sendable {
    private enum Place { case project, user }
    private var bytes: [UInt8] = []
    private var places: [(offset: Int, place: Place)] = []

    mutating func add(_ text: some StringProtocol) { bytes.append(contentsOf: text.utf8) }

    mutating func add(_ endpoint: CatalogSnapshot.Shown) {
        let region = endpoint.region.map { JSON.string($0) } ?? .null
        let head: JSON.Object = [
            "id": .string(endpoint.id.text), "interface": .string(endpoint.interface), "region_id": region,
            "region": region,
        ]
        add(JSON.object(head).text.dropLast())
        add(",\"url\":\"")
        for piece in endpoint.url.pieces {
            switch piece {
            case .text(let text): add(JSON.string(text).text.dropFirst().dropLast())
            case .project: places.append((bytes.count, .project))
            case .user: places.append((bytes.count, .user))
            }
        }
        add("\"}")
    }

    func filled(project: String, user: String) -> [UInt8] {
        if places.isEmpty { return bytes }
        let project = Self.inside(project), user = Self.inside(user)
        let count = places.reduce(bytes.count) { $0 + ($1.place == .project ? project.count : user.count) }
        return [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
            bytes.withUnsafeBufferPointer { bytes in
                var from = 0
                for (offset, place) in places {
                    copy(UnsafeBufferPointer(rebasing: bytes[from..<offset]), to: out, &initialized)
                    (place == .project ? project : user).withUnsafeBufferPointer { copy($0, to: out, &initialized) }
                    from = offset
                }
                copy(UnsafeBufferPointer(rebasing: bytes[from...]), to: out, &initialized)
            }
        }
    }

    private func copy(
        _ bytes: UnsafeBufferPointer<UInt8>, to out: UnsafeMutableBufferPointer<UInt8>, _ at: inout Int
    ) {
        guard let from = bytes.baseAddress, let start = out.baseAddress, !bytes.isEmpty else { return }
        (start + at).initialize(from: from, count: bytes.count)
        at += bytes.count
    }

    /// As it stands inside a JSON string; ids of ours need no escaping.
    private static func inside(_ id: String) -> [UInt8] {
        let bytes = Array(id.utf8)
        if bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c }) { return bytes }
        return Array(JSON.string(id).bytes.dropFirst().dropLast())
    }
}
