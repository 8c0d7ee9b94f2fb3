// SPDX-License-Identifier: Apache-2.0
// One line a request, put together in a buffer of the loop's own and handed to the log in bunches. The query is left
// out: it may hold signatures and secrets.

import Core
import EventLoop
import Glibc

final class AccessLog: TimerTarget {
    private static let bunch = 32 * 1024
    private static let milliseconds = 200

    private let log: Log
    private let isOn: Bool
    private let buffer = ByteBuffer(capacity: 48 * 1024)
    private var lines = 0
    private var second: Int64 = -1
    private var secondText = ""
    private let loop: EventLoop
    private var timer: LoopTimer?

    init(_ log: Log, _ loop: EventLoop) {
        self.log = log
        self.loop = loop
        isOn = log.isEnabled(.info)
        timer = LoopTimer(self)
    }

    func write(_ request: Request, _ answer: Answer, status: Int, microseconds: Int, sent: Int, now: Instant) {
        guard isOn else { return }
        begin(now)
        buffer.append("\",\"level\":\"info\",\"message\":\"request\",\"request_id\":\"")
        buffer.append(request.id)
        buffer.append("\",\"method\":\"")
        buffer.append(request.method.text)
        buffer.append("\",\"path\":\"")
        request.head.withPath { buffer.append(jsonText: $0) }
        if let route = answer.route { buffer.append(route.logText) }
        buffer.append("\",\"status\":")
        buffer.append(decimal: status)
        writeNumbers(microseconds, sent)
        if answer.statements > 0 {
            buffer.append(",\"statements\":")
            buffer.append(decimal: answer.statements)
        }
        buffer.append(",\"peer\":\"")
        buffer.append(request.peer)
        if let caller = answer.call?.caller { write(caller) }
        if let global = request.head.value("x-openstack-request-id"), RequestIDs.isValid(global) {
            buffer.append("\",\"global_request_id\":\"")
            buffer.append(global)
        }
        end()
    }

    /// A connection that was refused before it made a request.
    func write(refusal reason: StaticString, id: String, peer: String, status: Int, now: Instant) {
        guard isOn else { return }
        begin(now)
        buffer.append("\",\"level\":\"info\",\"message\":\"refused\",\"request_id\":\"")
        buffer.append(id)
        buffer.append("\",\"status\":")
        buffer.append(decimal: status)
        buffer.append(",\"reason\":\"")
        buffer.append(reason)
        buffer.append("\",\"peer\":\"")
        buffer.append(peer)
        end()
    }

    private func write(_ caller: Authority) {
        buffer.append("\",\"user\":\"")
        buffer.append(jsonText: caller.user.text)
        if case .project(let id, _, _, _) = caller.scope {
            buffer.append("\",\"project\":\"")
            buffer.append(jsonText: id.text)
        }
    }

    private func writeNumbers(_ microseconds: Int, _ sent: Int) {
        buffer.append(",\"ms\":")
        buffer.append(decimal: microseconds / 1000)
        buffer.append(UInt8(ascii: "."))
        buffer.append(UInt8(truncatingIfNeeded: 0x30 + microseconds / 100 % 10))
        buffer.append(UInt8(truncatingIfNeeded: 0x30 + microseconds / 10 % 10))
        buffer.append(UInt8(truncatingIfNeeded: 0x30 + microseconds % 10))
        buffer.append(",\"bytes\":")
        buffer.append(decimal: sent)
    }

    private func begin(_ now: Instant) {
        if now.seconds != second {
            second = now.seconds
            secondText = String(now.shortText.dropLast())
        }
        buffer.append("{\"time\":\"")
        buffer.append(secondText)
        buffer.append(UInt8(ascii: "."))
        var fraction = Int(now.microseconds % 1_000_000)
        var divisor = 100_000
        while divisor > 0 {
            buffer.append(UInt8(truncatingIfNeeded: 0x30 + fraction / divisor))
            fraction %= divisor
            divisor /= 10
        }
        buffer.append(UInt8(ascii: "Z"))
    }

    private func end() {
        buffer.append("\"}\n")
        lines += 1
        guard buffer.count < Self.bunch, let timer else { return flush() }
        if lines == 1 { loop.arm(timer, milliseconds: Self.milliseconds) }
    }

    func flush() {
        if lines == 0 { return }
        log.append(buffer.bytes, lines: lines)
        buffer.clear(keeping: 64 * 1024)
        lines = 0
    }

    func timerFired() { flush() }

    /// Hands over what is left and breaks the timer's hold; on the loop.
    func close() {
        flush()
        if let timer { loop.cancel(timer) }
        timer = nil
    }
}
