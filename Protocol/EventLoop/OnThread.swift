// SPDX-License-Identifier: Apache-2.0
// Blocking work for those who do it too seldom to keep a thread for it.

/// Runs `body` on a thread of its own and returns its result; the caller's thread goes on with other tasks.
package func onThread<T: Sendable>(_ name: String, _ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withUnsafeThrowingContinuation { (caller: UnsafeContinuation<T, any Error>) in
        // The kernel keeps fifteen characters of a thread's name.
        startThread(name: String(name.prefix(15))) { caller.resume(with: Result { try body() }) }
    }
}
