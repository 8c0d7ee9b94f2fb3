// SPDX-License-Identifier: Apache-2.0
// What roles amount to with their implications, as a pure value.

import Core
import Identity
import Testing

struct RoleGraphTests {
    private static func id(_ name: String) -> ID<Role> { ID(name) }

    /// admin -> manager -> member -> reader; helper (of a domain) -> member; left, right -> bottom, top -> left, right.
    private let graph = RoleGraph(
        ["admin", "manager", "member", "reader", "top", "left", "right", "bottom"].map {
            RoleRecord(id: ID($0), name: $0)
        }
            + [RoleRecord(id: ID("helper"), name: "helper", domain: ID("home"))],
        implications: [
            ("admin", "manager"), ("manager", "member"), ("member", "reader"), ("helper", "member"), ("top", "left"),
            ("top", "right"), ("left", "bottom"), ("right", "bottom"),
        ].map { RoleImplication(ID($0.0), ID($0.1)) })

    @Test func `a role brings all that it implies`() {
        #expect(graph.closure([ID("manager")]) == [ID("manager"), ID("member"), ID("reader")])
        #expect(graph.expanded([ID("admin")]).map(\.name) == ["admin", "manager", "member", "reader"])
    }

    @Test func `a domain's role stays out of tokens but what it implies does not`() {
        #expect(graph.expanded([ID("helper")]).map(\.name) == ["member", "reader"])
        #expect(graph.closure([ID("helper")]).contains(ID("helper")))
    }

    @Test func `unknown roles fall out`() {
        #expect(graph.closure([ID("gone")]).isEmpty)
        #expect(graph.expanded([]).isEmpty)
    }

    @Test func `sources are all roles that imply one`() {
        #expect(graph.sources(of: ID("member")) == [ID("admin"), ID("manager"), ID("member"), ID("helper")])
    }

    @Test func `each implied role is shown with the role that implies it`() {
        let steps = graph.steps(from: ID("top")).map { "\($0.role)<\($0.prior?.text ?? "")" }
        #expect(steps == ["top<", "left<top", "right<top", "bottom<left", "bottom<right"])
    }

    @Test func `a circle, should one get in, ends`() {
        let graph = RoleGraph(
            ["a", "b", "c"].map { RoleRecord(id: ID($0), name: $0) },
            implications: [("a", "b"), ("b", "c"), ("c", "a")].map { RoleImplication(ID($0.0), ID($0.1)) })
        #expect(graph.closure([ID("a")]).count == 3)
        #expect(graph.steps(from: ID("a")).map(\.role.text) == ["a", "b", "c"])
    }
}

struct StampedCacheTests {
    @Test func `a value is made once until a key is touched`() async throws {
        let stamps = Stamps()
        let cache = StampedCache<Int>()
        var made = 0
        func look() async throws -> Int {
            try await cache.value(stamps, keys: [.catalog]) {
                made += 1
                return made
            }
        }
        #expect(try await look() == 1)
        #expect(try await look() == 1)
        stamps.touch(.catalog)
        #expect(try await look() == 2)
        stamps.touch(.everything)
        #expect(try await look() == 3)
        #expect(try await look() == 3)
    }

    @Test func `a change while the value is made makes it old at once`() async throws {
        let stamps = Stamps()
        let cache = StampedCache<String>()
        #expect(
            try await cache.value(stamps) {
                stamps.touch(.everything)
                return "old"
            } == "old")
        #expect(try await cache.value(stamps) { "new" } == "new")
    }

    @Test func `a value that cannot be made is not remembered`() async throws {
        let cache = StampedCache<Int>()
        let stamps = Stamps()
        await #expect(throws: CloudError.self) {
            _ = try await cache.value(stamps) { throw CloudError.internalError("test") }
        }
        #expect(try await cache.value(stamps) { 7 } == 7)
    }
}
