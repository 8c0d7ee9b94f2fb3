// SPDX-License-Identifier: Apache-2.0
// The coordinator's life as the signals see it: starting -> running -> ending. A signal that comes while it still
// starts is kept until there is something to end.

import Core
import Glibc
import Synchronization

final class Life: Sendable {
    private enum State {
        case starting
        case running(Coordinator)
        case ending
    }
    private let state = Mutex(State.starting)
    private let log: Log

    init(log: Log) { self.log = log }

    func begin(_ config: Config) {
        Task.detached { [self] in
            do {
                let coordinator = try await Coordinator(config, log: log)
                await coordinator.start()
                let isWanted = state.withLock { state in
                    if case .ending = state { return false }
                    state = .running(coordinator)
                    return true
                }
                guard isWanted else { return }
                log.write(.info, "ready") {
                    $0.field("url", config.baseURL)
                    $0.field("listen", config.listen.text)
                    $0.field("version", Version.text)
                }
                Readiness.tell("READY=1")
            } catch {
                log.error("the coordinator does not start: \(error)")
                log.flush()
                _exit(1)
            }
        }
    }

    func reload() {
        state.withLock { if case .running(let coordinator) = $0 { coordinator.reload() } }
    }

    /// `finally` gets the exit code. The second call ends at once.
    func end(_ finally: @escaping @Sendable (Int32) -> Void) {
        let before = state.withLock { state in
            let before = state
            state = .ending
            return before
        }
        switch before {
        case .starting: finish(0, finally)
        case .ending: finish(1, finally)
        case .running(let coordinator):
            log.info("ending: no more requests are taken")
            Readiness.tell("STOPPING=1")
            Task.detached { [self] in
                await coordinator.end()
                finish(0, finally)
            }
        }
    }

    private func finish(_ code: Int32, _ finally: (Int32) -> Void) {
        log.info("ended")
        log.flush()
        finally(code)
    }
}
