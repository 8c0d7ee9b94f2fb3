// SPDX-License-Identifier: Apache-2.0
// One client's connection. Lives on one loop, from accept to close:
//
//     handshake ─► head ─► handling ─► head … ─► lingering ─► closed
//                            └─► (upgraded: a WebSocket until the end)
//
// In `head` the loop reads and parses; a whole head goes to a task on the loop, and from then on the handler pulls its
// body and its answer is written as the client takes it, so memory stays bounded however large either is. What arrives
// meanwhile waits in the kernel. Files: +Input (bytes in, the body), +Output (bytes out), +Answer (request and
// response).
//
// Invariant: everything here is touched on the loop's thread only; at most one task waits for input and one for output.

import COpenSSL
import CSystem
import Core
import EventLoop
import Glibc

/// Why a read or write cannot go on.
enum ConnectionError: Error { case closed, stalled, misused }

final class Connection: EventHandler, TimerTarget, @unchecked Sendable {
    // Safe: confined to the loop's thread, as the invariant above says; entry points that a handler may call from
    // elsewhere go through `onLoop`.
    enum Phase { case handshake, head, handling, lingering, closed }

    /// A task waits this long for its connection's next request, then ends: an idle connection costs little.
    static let warmMilliseconds = 1000

    let owner: ServerLoop
    let descriptor: Int32
    let peer: String
    let tls: OpaquePointer?
    var phase: Phase
    /// The place in the owner's list.
    var place = 0
    private var slot: Int?
    private var timer: LoopTimer?

    // Input
    var parser: HeadParser
    var input: [UInt8] = []
    var inputAt = 0
    /// The kernel may have more for us; cleared when a read says no.
    var isReadable = true
    var sawHangUp = false
    var inputWaiter: UnsafeContinuation<Void, any Error>?

    // The task that serves requests
    var hasTask = false
    var requestWaiter: UnsafeContinuation<Request?, Never>?
    /// Parsed while the task was still busy with the one before.
    var nextRequest: Request?

    // The request under way
    /// Told apart from earlier ones, for handlers that keep a body too long.
    var serial = 0
    var body = BodyState()
    var keepsAlive = true
    var isVersion10 = false
    var startedNanoseconds = 0
    var sentBytes = 0
    /// Body bytes handed out since the handler last let others run.
    var unpaused = 0

    // Output
    var output: [UInt8] = []
    var outputAt = 0
    var file: FileProgress?
    var outputWaiter: UnsafeContinuation<Void, any Error>?
    /// Waits for the peer are counted by the timer only while one is under way.
    var isUpgraded = false
    var lingered = 0

    static func open(_ descriptor: Int32, _ peer: String, _ owner: ServerLoop, _ context: TLSContext?) {
        let tls = context?.connection(descriptor)
        if context != nil, tls == nil {
            Glibc.close(descriptor)
            return owner.didClose()
        }
        Connection(descriptor, peer, owner, tls).begin()
    }

    private init(_ descriptor: Int32, _ peer: String, _ owner: ServerLoop, _ tls: OpaquePointer?) {
        self.descriptor = descriptor
        self.peer = peer
        self.owner = owner
        self.tls = tls
        phase = tls == nil ? .head : .handshake
        parser = HeadParser(largestHead: owner.limits.headBytes)
    }

    deinit { SSL_free(tls) }

    private func begin() {
        owner.add(self)
        timer = LoopTimer(self)
        let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        slot = owner.loop.register(descriptor, events: events, self)
        guard slot != nil else { return close() }
        arm(phase == .handshake ? owner.limits.headMilliseconds : owner.limits.idleMilliseconds)
        if phase == .head { pump() }
    }

    // MARK: Events

    func ready(_ events: UInt32) {
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { return close() }
        if events & EPOLLRDHUP.rawValue != 0 { sawHangUp = true }
        // TLS may need to read in order to write and the other way round.
        if events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 || tls != nil { isReadable = true }
        if phase == .handshake, !shakeHands() { return }
        if hasOutput { flush() }
        guard isReadable else { return }
        switch phase {
        case .head: pump()
        case .handling: resumeInput()
        case .lingering: discard()
        case .handshake, .closed: break
        }
    }

    /// True when the handshake is done.
    private func shakeHands() -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(tls)
        if result == 1 {
            phase = .head
            arm(owner.limits.idleMilliseconds)
            return true
        }
        let error = SSL_get_error(tls, result)
        if error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE { close() }
        return false
    }

    // MARK: Time

    func arm(_ milliseconds: Int) {
        if let timer { owner.loop.arm(timer, milliseconds: milliseconds) }
    }

    /// The timer is not cancelled when a wait ends well, so it is asked here what is being waited for.
    func timerFired() {
        switch phase {
        case .handshake, .lingering: close()
        case .head:
            if input.count > inputAt {
                refuse(RequestFault(.requestTimeout, "The request did not arrive in time."))
            } else if requestWaiter != nil, owner.limits.idleMilliseconds > Self.warmMilliseconds {
                releaseTask()
                arm(owner.limits.idleMilliseconds - Self.warmMilliseconds)
            } else {
                close(politely: true)
            }
        case .handling:
            if outputWaiter != nil {
                close()
            } else if let waiter = inputWaiter {
                inputWaiter = nil
                // What still comes of this body cannot be told from a next request.
                if !isUpgraded { keepsAlive = false }
                waiter.resume(throwing: ConnectionError.stalled)
            } else {
                arm(owner.limits.stallMilliseconds)
            }
        case .closed: break
        }
    }

    // MARK: The end

    /// No new request after the one under way.
    func drain() {
        switch phase {
        case .head, .handshake: close(politely: phase == .head)
        case .handling:
            keepsAlive = false
            if isUpgraded, let waiter = inputWaiter {
                inputWaiter = nil
                waiter.resume(throwing: ConnectionError.closed)
            }
        case .lingering, .closed: break
        }
    }

    /// Says that nothing more will be sent and listens a while, so that the client reads the answer rather than a
    /// reset.
    func linger() {
        guard phase != .closed else { return }
        phase = .lingering
        lingered = 0
        if tls != nil {
            ERR_clear_error()
            SSL_shutdown(tls)
        }
        shutdown(descriptor, Int32(SHUT_WR))
        arm(owner.limits.lingerMilliseconds)
        discard()
    }

    /// `politely`: with TLS's own word for the end.
    func close(politely: Bool = false) {
        guard phase != .closed else { return }
        if politely, tls != nil {
            ERR_clear_error()
            SSL_shutdown(tls)
        }
        phase = .closed
        if let slot { owner.loop.unregister(slot) }
        if let timer { owner.loop.cancel(timer) }
        timer = nil
        file?.close()
        file = nil
        Glibc.close(descriptor)
        owner.remove(self)
        input = []
        output = []
        nextRequest = nil
        releaseTask()
        if let waiter = inputWaiter {
            inputWaiter = nil
            waiter.resume(throwing: ConnectionError.closed)
        }
        if let waiter = outputWaiter {
            outputWaiter = nil
            waiter.resume(throwing: ConnectionError.closed)
        }
    }

    // MARK: Waiting

    func resumeInput() {
        guard let waiter = inputWaiter else { return }
        inputWaiter = nil
        waiter.resume()
    }

    nonisolated(nonsending) func waitForInput() async throws {
        guard phase != .closed else { throw ConnectionError.closed }
        guard inputWaiter == nil else { throw ConnectionError.misused }
        arm(owner.limits.stallMilliseconds)
        try await withUnsafeThrowingContinuation { inputWaiter = $0 }
    }

    /// Returns when everything written so far was taken by the kernel.
    nonisolated(nonsending) func waitForOutput() async throws {
        while hasOutput {
            guard outputWaiter == nil else { throw ConnectionError.misused }
            arm(owner.limits.stallMilliseconds)
            try await withUnsafeThrowingContinuation { outputWaiter = $0 }
        }
        if phase == .closed { throw ConnectionError.closed }
    }

    /// Runs `body` on the loop: at once when there already, which is the rule.
    func onLoop<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        if owner.loop.isCurrent { return try await body() }
        return try await Task(executorPreference: owner.loop) { try await body() }.value
    }
}
