// SPDX-License-Identifier: Apache-2.0
// Starts and ends everything that runs beside requests, together: the composition root adds loops, the job runner,
// the event feed; a cancelled task is how each is told to end.

import Core

package actor LoopRunner {
    private var works: [any BackgroundWork] = []
    private var task: Task<Void, Never>?

    package init() {}

    /// Before the start.
    package func add(_ work: any BackgroundWork) { works.append(work) }
    package func add(_ name: String, _ run: @escaping @Sendable () async -> Void) { add(Plain(name: name, body: run)) }

    package func start() {
        guard task == nil else { return }
        let works = works
        task = Task {
            await withDiscardingTaskGroup { group in
                for work in works { group.addTask { await work.run() } }
            }
        }
    }

    /// Tells all to end and waits for them; false when some had not ended in time.
    @discardableResult
    package func stop(withinSeconds seconds: Int = 10) async -> Bool {
        guard let task else { return true }
        task.cancel()
        let end = Bell()
        Task {
            await task.value
            end.ring()
        }
        await end.signal.wait(milliseconds: seconds * 1000)
        self.task = nil
        return end.takeOwn()
    }

    private struct Plain: BackgroundWork {
        let name: String
        let body: @Sendable () async -> Void
        func run() async { await body() }
    }
}
