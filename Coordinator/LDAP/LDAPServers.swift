// SPDX-License-Identifier: Apache-2.0
// Which server of a directory to use: the first that is not resting after a failure. Shared by the threads of one
// directory, so that one of them finding a server dead spares the others the wait.

import Synchronization

final class LDAPServers: Sendable {
    private struct Rest {
        var until: Int64
        var reason: LDAPError
    }

    private let settings: LDAPSettings
    private let resting = Mutex<[String: Rest]>([:])
    /// Seconds of a clock that only goes forward.
    private let now: @Sendable () -> Int64

    init(_ settings: LDAPSettings, now: @escaping @Sendable () -> Int64 = { Stopwatch.seconds }) {
        self.settings = settings
        self.now = now
    }

    /// Runs `body` with each server's URL in turn until one answers, be it with a refusal. When every server rests, the
    /// reason comes at once.
    func first<Value>(_ body: (String) throws(LDAPError) -> Value) throws(LDAPError) -> Value {
        var reason: LDAPError?
        for url in settings.urls {
            if let rest = resting.withLock({ $0[url] }), rest.until > now() {
                reason = reason ?? rest.reason
                continue
            }
            do throws(LDAPError) {
                let value = try body(url)
                resting.withLock { _ = $0.removeValue(forKey: url) }
                return value
            } catch {
                guard Self.isServersFault(error) else { throw error }
                report(url, error)
                reason = error
            }
        }
        throw reason ?? .unreachable("there is no server")
    }

    /// Leaves a server alone for a while.
    func report(_ url: String, _ error: LDAPError) {
        let rest = Rest(until: now() + Int64(settings.restSeconds), reason: error)
        resting.withLock { $0[url] = rest }
    }

    static func isServersFault(_ error: LDAPError) -> Bool {
        switch error {
        case .timeout, .unreachable: true
        default: false
        }
    }
}
