// SPDX-License-Identifier: Apache-2.0
// A whole identity service in the test's own process: a bootstrapped cloud in a database of its own, with a user for
// every persona, and a dispatcher that answers requests without sockets.
//
//     @Test(arguments: TestEngine.available)
//     func `a reader cannot make a region`(_ engine: TestEngine) async throws {
//         try await withCloud(engine) { cloud in
//             let reply = try await cloud.request(.post, "/v3/regions", as: .systemReader, ["region": ["id": "west"]])
//             #expect(reply.status == 403)
//         }
//     }

import Core
import Crypto
import Database
import Events
import Glibc
import HTTP
import JSON
import Synchronization
import Testing

@testable import Identity

/// Time that a test moves.
final class TestClock: Clock {
    private let time: Mutex<Instant>
    init(_ time: Instant = SystemClock().now) { self.time = Mutex(time) }
    var now: Instant { time.withLock { $0 } }
    func advance(seconds: Int64) { time.withLock { $0 = $0.adding(seconds: seconds) } }
}

struct Reply: Sendable {
    let status: Int
    /// null when the body is empty or no JSON.
    let json: JSON
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    subscript(name: String) -> JSON? { json[name] }
    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    /// The sentence of a fault.
    var message: String { json["error"]?["message"]?.string ?? "" }
    var text: String { String(decoding: body, as: UTF8.self) }
    /// The ids of a list's elements.
    func ids(_ list: String) -> [String] { (json[list]?.array ?? []).compactMap { $0["id"]?.string } }
}

final class IdentityFixture: Sendable {
    let environment: IdentityEnvironment
    let module: IdentityModule
    let dispatcher: Dispatcher
    let cloud: BootstrapResult
    let clock: TestClock
    static let adminPassword = "a test's password 1"

    /// Hashing that costs next to nothing, shared by all tests.
    static let passwords = PasswordPool(PasswordHasher(.argon2id(memoryKiB: 8, passes: 1)), threads: 1, waiting: 10_000)
    private static let personaHash = Mutex<String?>(nil)

    fileprivate init(_ database: Database, _ settings: IdentitySettings) async throws {
        clock = TestClock()
        environment = IdentityEnvironment(
            database: database, settings: settings, vault: try Vault([SealingKey.random()]), passwords: Self.passwords,
            recorder: EventRecorder(clock: clock), log: Log(level: .error), clock: clock)
        module = IdentityModule(environment: environment)
        cloud = try await IdentityBootstrap.run(BootstrapOptions(password: Self.adminPassword), environment)
        var options = Dispatcher.Options()
        options.publicURL = settings.publicURL
        dispatcher = try Dispatcher(
            services: [module], policy: try PolicyTable(IdentityModule.policies),
            authenticator: PersonaAuthenticator(clock: clock, tokens: module.authenticator), log: environment.log,
            metrics: Metrics(), options: options)
        try await makePersonas()
        try await module.start()
    }

    private func makePersonas() async throws {
        let hash = try await Self.hashOfPersonas()
        let (cloud, now) = (cloud, clock.now)
        try await environment.database.write("test.personas") { connection in
            for (domain, name, project, projectName) in [
                (Places.home, "home", Places.web, "web"), (Places.away, "away", Places.shop, "shop"),
            ] {
                let top = ID<Project>(domain.text)
                try ProjectStore.insert(
                    ProjectRecord(id: top, name: name, domain: nil, parent: nil, isDomain: true), connection)
                try ProjectStore.insert(
                    ProjectRecord(id: project, name: projectName, domain: domain, parent: top, isDomain: false),
                    connection)
            }
            for persona in Persona.allCases {
                let user = UserRecord(id: persona.userID, name: persona.rawValue, domain: persona.domain, created: now)
                try UserStore.insert(user, connection)
                try PasswordStore.insert(
                    StoredPassword(hash: hash, created: now, expires: nil, isSelfService: false), of: user.id,
                    keeping: 1,
                    connection)
                guard let role = persona.role.flatMap({ cloud.roles[$0] }), let target = Self.target(persona) else {
                    continue
                }
                try AssignmentStore.insert(Assignment(.user(user.id), target, role), connection)
            }
        }
        environment.stamps.touch(.everything)
    }

    private static func target(_ persona: Persona) -> AssignmentTarget? {
        switch persona.scope {
        case .system: .system
        case .home: .domain(Places.home)
        case .away: .domain(Places.away)
        case .web: .project(Places.web)
        case .shop: .project(Places.shop)
        case .none: nil
        }
    }

    private static func hashOfPersonas() async throws -> String {
        if let hash = personaHash.withLock({ $0 }) { return hash }
        let hash = try await passwords.hash(Persona.password)
        personaHash.withLock { $0 = hash }
        return hash
    }

    // MARK: Requests

    /// `path` is below "/identity". `as` nil: without a token.
    func request(
        _ method: HTTPMethod, _ path: String, as persona: Persona?, _ body: JSON? = nil,
        headers: [(String, String)] = []
    ) async throws -> Reply {
        try await request(method, path, token: persona?.token, body: body?.bytes ?? [], headers: headers)
    }

    /// With any token and any bytes.
    func request(
        _ method: HTTPMethod, _ path: String, token: String?, body: [UInt8] = [], headers: [(String, String)] = []
    ) async throws -> Reply {
        var fields = headers
        if let token { fields.append(("X-Auth-Token", token)) }
        if !body.isEmpty { fields.append(("Content-Type", "application/json")) }
        let response = await dispatcher.respond(
            to: .make(method, "/identity" + path, headers: fields, body: body))
        var bytes: [UInt8] = []
        if case .bytes(let given) = response.body { bytes = given }
        return Reply(
            status: response.status.code, json: (try? JSON.parse(bytes)) ?? .null, headers: response.headers,
            body: bytes)
    }

    /// A real token of a persona, by its password and for its scope.
    func token(of persona: Persona) async throws -> String {
        let user: JSON = ["id": .string(persona.userID.text), "password": .string(Persona.password)]
        let scope: JSON? =
            switch persona.scope {
            case .system: ["system": ["all": true]]
            case .home: ["domain": ["id": .string(Places.home.text)]]
            case .away: ["domain": ["id": .string(Places.away.text)]]
            case .web: ["project": ["id": .string(Places.web.text)]]
            case .shop: ["project": ["id": .string(Places.shop.text)]]
            case .none: nil
            }
        var auth: JSON.Object = ["identity": ["methods": ["password"], "password": ["user": user]]]
        auth["scope"] = scope
        let reply = try await request(.post, "/v3/auth/tokens", as: nil, ["auth": .object(auth)])
        return try #require(reply.header("X-Subject-Token"), "\(reply.status) \(reply.text)")
    }

    /// The SQL statements that a request takes.
    func statements(
        _ method: HTTPMethod, _ path: String, as persona: Persona, _ body: JSON? = nil
    ) async throws -> (count: Int, reply: Reply) {
        let tally = StatementTally()
        let reply = try await StatementTally.$current.withValue(tally) {
            try await request(method, path, as: persona, body)
        }
        return (tally.count, reply)
    }
}

/// Makes a cloud for a test, and removes it after.
func withCloud(
    _ engine: TestEngine = .sqlite, _ change: (inout IdentitySettings) -> Void = { _ in },
    _ body: (IdentityFixture) async throws -> Void
) async throws {
    var settings = IdentitySettings()
    change(&settings)
    let place = try TestPlace(engine)
    defer { place.remove() }
    let database = try await Database.open(
        place.location, migrations: EventSchema.migrations + IdentityModule.migrations, connections: 2)
    do {
        try await body(try await IdentityFixture(database, settings))
    } catch {
        await database.close()
        throw error
    }
    await database.close()
}

/// Takes a persona's name for its token; any other token is one that the cloud made.
struct PersonaAuthenticator: Authenticator {
    let clock: any Clock
    let tokens: any Authenticator

    func authority(of request: Request, for service: ServiceDescription) async throws -> Authority? {
        guard let text = request.head.value("x-auth-token") else { return nil }
        guard text.hasPrefix("persona:"), let persona = Persona(rawValue: String(text.dropFirst("persona:".count)))
        else {
            return try await tokens.authority(of: request, for: service)
        }
        return persona.authority(expires: clock.now.adding(seconds: 3600))
    }
}
