// SPDX-License-Identifier: Apache-2.0
// The operator at the machine itself. Who may read the secret key and write the database is above every role, so
// commands speak to identity's own API inside this process as an administrator of the whole cloud: the same rules,
// checks and events as over the network, with no socket between. A running coordinator learns of the changes from the
// events.

import Assembly
import Core
import Crypto
import Database
import Events
import HTTP
import Identity
import JSON

struct Console: Sendable {
    let environment: IdentityEnvironment
    let identity: IdentityModule
    private let dispatcher: Dispatcher

    init(_ config: Config, database: Database) throws {
        let log = Log(level: .error)
        environment = try CloudIdentity.environment(
            config, database: database, recorder: EventRecorder(), log: log, passwordThreads: 1)
        identity = IdentityModule(environment: environment)
        dispatcher = try Dispatcher(
            services: [identity], policy: try PolicyTable(CloudModules.policies, enforcesScope: false),
            authenticator: Operator(), log: log, metrics: Metrics())
    }

    /// Opens the cloud of the configuration for the time of the closure.
    static func open<T: Sendable>(_ config: Config, _ body: (Console) async throws -> T) async throws -> T {
        try await DatabaseCommands.withDatabase(config) { try await body(try Console(config, database: $0)) }
    }

    /// One request; the answer's JSON, or null when it has none. A fault is thrown with its message.
    @discardableResult
    func call(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        let response = await dispatcher.respond(to: Self.request(method, "/identity/v3" + path, body))
        var answer = JSON.null
        if case .bytes(let bytes) = response.body, !bytes.isEmpty { answer = try JSON.parse(bytes) }
        guard response.status.code < 400 else {
            throw CloudError.badRequest(answer["error"]?["message"]?.string ?? "\(response.status.reason)")
        }
        return answer
    }

    private static func request(_ method: HTTPMethod, _ target: String, _ body: JSON?) -> Request {
        let bytes = Array(target.utf8)
        let question = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
        let head = RequestHead(
            bytes: bytes, method: method, path: 0..<question, query: min(question + 1, bytes.count)..<bytes.count,
            fields: [])
        let id = "req-" + Hex.text(Random.bytes(16))
        return Request(head: head, body: WholeBody(body?.bytes ?? []), peer: "127.0.0.1", isSecure: true, id: id)
    }

    /// Percent-encodes everything but letters, digits and "-._~".
    static func encoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + Hex.text([byte]).uppercased()
            }
        }
        return out
    }
}

/// The caller of every request of a Console.
private struct Operator: Authenticator {
    func authority(of request: Request, for service: ServiceDescription) async throws -> Authority? {
        Authority(
            user: ID("operator"), userName: "operator", userDomain: ID("default"), userDomainName: "Default",
            scope: .system,
            roles: ["admin", "manager", "member", "reader"], auditID: "console",
            expires: SystemClock().now.adding(days: 1))
    }
}

private final class WholeBody: RequestBody, @unchecked Sendable {
    // Safe: one handler pulls it, piece after piece.
    private var rest: [UInt8]?
    let length: Int?

    init(_ bytes: [UInt8]) {
        rest = bytes.isEmpty ? nil : bytes
        length = bytes.count
    }

    func next() async throws -> [UInt8]? {
        defer { rest = nil }
        return rest
    }
}
