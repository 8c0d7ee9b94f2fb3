// SPDX-License-Identifier: Apache-2.0
// A directory that accepts and never answers: callers hear of it in time, and no other directory does.
import Testing

@testable import LDAP

struct LDAPTimeoutTests {
    private func settings(_ server: HangingServer, _ scheme: String = "ldap", startsTLS: Bool = false) -> LDAPSettings {
        var settings = LDAPSettings(urls: ["\(scheme)://127.0.0.1:\(server.port)"], account: ("cn=x", "x"))
        settings.startsTLS = startsTLS
        settings.networkSeconds = 1
        settings.operationSeconds = 60
        settings.connections = 2
        settings.waiting = 8
        return settings
    }

    private func error(_ body: () async throws(LDAPError) -> Void) async -> LDAPError? {
        do throws(LDAPError) { try await body() } catch { return error }
        return nil
    }

    @Test(arguments: [("ldap", false), ("ldaps", false), ("ldap", true)])
    func `a silent server costs the network time, however it is spoken to`(_ scheme: String, _ startsTLS: Bool)
        async throws
    {
        let server = try HangingServer()
        let directory = try LDAPDirectory(settings(server, scheme, startsTLS: startsTLS))
        let start = ContinuousClock.now
        let search = await error { () throws(LDAPError) in
            _ = try await directory.search("dc=x", .present("uid"), limit: 1)
        }
        #expect(search.map(LDAPServers.isServersFault) == true, "\(String(describing: search))")
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test func `a server that agrees to TLS and then falls silent is given up`() async throws {
        // An extended response to message 1: success.
        let server = try HangingServer(answer: [0x30, 0x0c, 2, 1, 1, 0x78, 7, 0x0a, 1, 0, 4, 0, 4, 0])
        let directory = try LDAPDirectory(settings(server, startsTLS: true))
        let start = ContinuousClock.now
        #expect(await error { () throws(LDAPError) in try await directory.check() } == .timeout)
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test func `after that callers hear at once, for a while`() async throws {
        let server = try HangingServer()
        var resting = settings(server)
        resting.networkSeconds = 5
        resting.restSeconds = 3600
        let directory = try LDAPDirectory(resting)
        _ = await error { () throws(LDAPError) in try await directory.check() }
        let start = ContinuousClock.now
        let second = await error { () throws(LDAPError) in _ = try await directory.bind("cn=a", "b") }
        #expect(second.map(LDAPServers.isServersFault) == true)
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    /// Threads that are stuck for longer than a test may take.
    private func stuck(_ server: HangingServer) -> LDAPSettings {
        var stuck = settings(server)
        stuck.networkSeconds = 120
        stuck.operationSeconds = 2
        return stuck
    }

    @Test func `a wait ends when its time is over, though its thread is stuck`() async throws {
        let server = try HangingServer()
        let directory = try LDAPDirectory(stuck(server))
        let start = ContinuousClock.now
        #expect(await error { () throws(LDAPError) in try await directory.check() } == .timeout)
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test func `the queue is bounded, and another directory notices nothing`() async throws {
        let server = try HangingServer()
        let hanging = try LDAPDirectory(stuck(server))
        let other = try LDAPDirectory(LDAPSettings(urls: ["ldap://127.0.0.1:1"]))
        let outcomes = await withTaskGroup(of: LDAPError?.self) { group in
            for _ in 0..<40 {
                group.addTask { await error { () throws(LDAPError) in try await hanging.check() } }
            }
            let start = ContinuousClock.now
            let refused = await error { () throws(LDAPError) in try await other.check() }
            #expect(refused.map(LDAPServers.isServersFault) == true && refused != .timeout)
            #expect(ContinuousClock.now - start < .seconds(60))
            return await group.reduce(into: [LDAPError?]()) { $0.append($1) }
        }
        // Eight places to wait, and two threads if they took theirs before the queue was full: the others are refused.
        let late = outcomes.count { $0 == .timeout }
        #expect((8...10).contains(late))
        #expect(outcomes.count { $0 == .busy } == 40 - late)
    }

    @Test func `a server that is not there is unreachable`() async throws {
        for url in ["ldap://127.0.0.1:1", "ldap://nowhere.invalid"] {
            let directory = try LDAPDirectory(LDAPSettings(urls: [url]))
            let found = await error { () throws(LDAPError) in try await directory.check() }
            guard case .unreachable(let reason) = found else {
                Issue.record("\(String(describing: found))")
                continue
            }
            #expect(reason.contains(url))
        }
    }

    @Test func `after stop callers are refused`() async throws {
        let server = try HangingServer()
        let directory = try LDAPDirectory(settings(server))
        directory.stop()
        #expect(await error { () throws(LDAPError) in try await directory.check() } == .busy)
    }
}
