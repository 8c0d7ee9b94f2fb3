// SPDX-License-Identifier: Apache-2.0
// Finds the route of a path: a tree of segments, literals before parameters, walked on the raw bytes. Each segment is
// decoded for itself, so an encoded slash stays inside its parameter. One trailing slash makes no difference.
//
//     "/v3/users/{user_id}"          a parameter is one segment, never empty
//     "/v1/{account}/{object...}"    the last may take the rest of the path, slashes included

import Core

/// A route at its place, with what the dispatcher needs for each request.
package final class MountedRoute: Sendable {
    package let route: Route
    package let service: ServiceDescription
    /// The mount and the route's pattern, as the log and the metrics name it.
    package let pattern: String
    package let parameterNames: [String]
    let traffic: ServiceTraffic
    /// What a line of the request log says of the service and the route, ready to be copied.
    let logText: [UInt8]

    init(_ route: Route, _ service: ServiceDescription, _ pattern: String, _ names: [String], _ traffic: ServiceTraffic)
    {
        self.route = route
        self.service = service
        self.pattern = pattern
        parameterNames = names
        self.traffic = traffic
        logText = Array("\",\"service\":\"\(service.name)\",\"route\":\"\(pattern)".utf8)
    }
}

struct Router: Sendable {
    private struct Node: Sendable {
        var literals: [(text: [UInt8], node: Int)] = []
        var parameter: Int?
        var rest: Int?
        var routes: [MountedRoute] = []
    }

    /// What was found: the routes of a place, one a method, and where its parameters lie in the path.
    struct Match {
        let routes: [MountedRoute]
        let parameters: [Range<Int>]
    }

    private var nodes = [Node()]

    mutating func add(
        _ route: Route, of service: ServiceDescription, traffic: ServiceTraffic
    ) throws -> MountedRoute {
        let pattern = service.mount + route.pattern
        var node = 0
        var names: [String] = []
        for segment in pattern.split(separator: "/") {
            if segment.hasPrefix("{"), segment.hasSuffix("}") {
                let isRest = segment.hasSuffix("...}")
                names.append(String(segment.dropFirst().dropLast(isRest ? 4 : 1)))
                node = isRest ? child(node, \.rest) : child(node, \.parameter)
            } else {
                node = literal(node, Array(segment.utf8))
            }
        }
        guard !nodes[node].routes.contains(where: { $0.route.method == route.method }) else {
            throw CloudError.internalError("two routes for \(route.method.rawValue) \(pattern)")
        }
        let mounted = MountedRoute(route, service, pattern, names, traffic)
        nodes[node].routes.append(mounted)
        return mounted
    }

    private mutating func child(_ node: Int, _ place: WritableKeyPath<Node, Int?>) -> Int {
        if let known = nodes[node][keyPath: place] { return known }
        nodes.append(Node())
        nodes[node][keyPath: place] = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func literal(_ node: Int, _ text: [UInt8]) -> Int {
        if let known = nodes[node].literals.first(where: { $0.text == text }) { return known.node }
        nodes.append(Node())
        nodes[node].literals.append((text, nodes.count - 1))
        return nodes.count - 1
    }

    /// nil when nothing is there.
    func match(_ path: UnsafeBufferPointer<UInt8>) -> Match? {
        var parameters: [Range<Int>] = []
        guard let node = walk(0, path, 1, &parameters) else { return nil }
        return Match(routes: nodes[node].routes, parameters: parameters)
    }

    /// Tries the literal, then the parameter, then the rest; each node is entered at most once a path.
    private func walk(
        _ node: Int, _ path: UnsafeBufferPointer<UInt8>, _ start: Int, _ parameters: inout [Range<Int>]
    ) -> Int? {
        if start >= path.count { return nodes[node].routes.isEmpty ? nil : node }
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        let segment = UnsafeBufferPointer(rebasing: path[start..<end])
        for (text, next) in nodes[node].literals where isEqual(text, segment) {
            if let found = walk(next, path, end + 1, &parameters) { return found }
        }
        if let next = nodes[node].parameter, end > start {
            parameters.append(start..<end)
            if let found = walk(next, path, end + 1, &parameters) { return found }
            parameters.removeLast()
        }
        if let next = nodes[node].rest {
            parameters.append(start..<path.count)
            return next
        }
        return nil
    }

    /// Literals compare undecoded first; an encoded spelling of one is the same place.
    @inline(__always)
    private func isEqual(_ text: [UInt8], _ segment: UnsafeBufferPointer<UInt8>) -> Bool {
        if text.count == segment.count {
            for i in 0..<text.count where text[i] != segment[i] { return false }
            return true
        }
        guard segment.count > text.count, segment.contains(0x25) else { return false }
        return PercentCoding.decode(segment).map { $0.utf8.elementsEqual(text) } ?? false
    }
}
