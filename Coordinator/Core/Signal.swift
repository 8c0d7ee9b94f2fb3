// SPDX-License-Identifier: Apache-2.0
// "Look": a level one side raises and one other side waits for. It carries nothing, so raising it twice is the same
// as once and none is lost: who waits takes the level down and then looks.

import Synchronization

package final class Signal: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
        /// Tells a timer whether the wait it belongs to is still the one under way.
        var waits = 0
    }
    private let state = Mutex(State())

    package init() {}

    package func ring() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            state.isRung = state.waiter == nil
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when rung, at once if it was rung before; or after `milliseconds`; or when the task is cancelled. One
    /// waits at a time: a second one sends the first on its way.
    package func wait(milliseconds: Int) async {
        let number = state.withLock { state -> Int? in
            state.waits += 1
            defer { state.isRung = false }
            return state.isRung ? nil : state.waits
        }
        guard let number else { return }
        let timer = Task { [self] in
            try? await Task.sleep(for: .milliseconds(milliseconds))
            end(number)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let old = state.withLock { state -> CheckedContinuation<Void, Never>? in
                    // Rung, timed out or cancelled in between.
                    guard !state.isRung, state.waits == number else {
                        state.isRung = false
                        return continuation
                    }
                    defer { state.waiter = continuation }
                    return state.waiter
                }
                old?.resume()
            }
        } onCancel: {
            end(number)
        }
        timer.cancel()
    }

    private func end(_ number: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waits == number else { return nil }
            // Marks the wait as over, for a continuation that is not there yet.
            state.waits += 1
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}

/// A bell that remembers whether it was rung from this side: what others rang is not passed on to others again.
package final class Bell: Sendable {
    package let signal = Signal()
    private let isOwn = Atomic<Bool>(false)

    package init() {}

    package func ring() {
        isOwn.store(true, ordering: .relaxed)
        signal.ring()
    }

    /// Whether this side rang since it was last asked.
    package func takeOwn() -> Bool { isOwn.exchange(false, ordering: .relaxed) }
}
