// SPDX-License-Identifier: Apache-2.0
// Bytes out. A small answer is put together in the loop's scratch memory and sent at once; only what the kernel does
// not take is kept. Large bodies are sent from where they are, files by the kernel.

import COpenSSL
import CSystem
import Core
import Glibc

/// A file on its way out.
struct FileProgress {
    let descriptor: Int32
    var offset: Int
    var left: Int
    func close() { Glibc.close(descriptor) }
}

extension Connection {
    /// A turn of one connection ends after this much, so that a fast reader does not keep the loop to itself.
    private static let turnBytes = 4 << 20
    private static let fileBytes = 1 << 20

    var hasOutput: Bool { outputAt < output.count || file != nil }

    /// Sends what the scratch memory holds.
    func sendScratch() {
        assert(owner.loop.isCurrent)
        let bytes = owner.output.bytes
        if phase != .closed {
            let sent = outputAt < output.count ? 0 : send(bytes)
            if sent < bytes.count, phase != .closed { keep(output: UnsafeBufferPointer(rebasing: bytes[sent...])) }
        }
        owner.output.clear(keeping: 4 * ServerLoop.scratchBytes)
    }

    /// Sends a large array without copying it, unless something waits before it.
    func send(array: [UInt8]) {
        guard phase != .closed else { return }
        if outputAt < output.count {
            array.withUnsafeBufferPointer { keep(output: $0) }
            return
        }
        output = array
        outputAt = 0
        flush()
    }

    private func keep(output bytes: UnsafeBufferPointer<UInt8>) {
        if outputAt == output.count {
            output = Array(bytes)
            outputAt = 0
        } else {
            output.append(contentsOf: bytes)
        }
    }

    /// What the kernel takes now; closes on an error.
    private func send(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var sent = 0
        while sent < bytes.count, let base = bytes.baseAddress {
            let got = sendOnce(base + sent, bytes.count - sent)
            if got <= 0 { break }
            sent += got
        }
        sentBytes += sent
        owner.traffic.sent.add(sent)
        return sent
    }

    private func sendOnce(_ base: UnsafePointer<UInt8>, _ count: Int) -> Int {
        if tls != nil {
            ERR_clear_error()
            let result = SSL_write(tls, base, Int32(min(count, 1 << 20)))
            if result > 0 { return Int(result) }
            let error = SSL_get_error(tls, result)
            if error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ { close() }
            return 0
        }
        while true {
            let result = Glibc.send(descriptor, base, count, Int32(MSG_NOSIGNAL))
            if result >= 0 { return result }
            if errno == EINTR { continue }
            if errno != EAGAIN { close() }
            return 0
        }
    }

    /// Goes on with what waits; wakes who waits for it when all is gone.
    func flush() {
        var turn = 0
        if outputAt < output.count {
            let kept = output
            let sent = kept.withUnsafeBufferPointer { send(UnsafeBufferPointer(rebasing: $0[outputAt...])) }
            outputAt += sent
            turn += sent
            if outputAt < output.count {
                if sent > 0 { arm(owner.limits.stallMilliseconds) }
                return
            }
            output = []
            outputAt = 0
        }
        while let file, phase != .closed {
            if turn > Self.turnBytes {
                owner.loop.execute { [self] in flush() }
                return
            }
            let sent = tls == nil ? sendFile(file) : sendFileThroughTLS(file)
            if sent == 0 { return }
            turn += sent
            arm(owner.limits.stallMilliseconds)
        }
        if let waiter = outputWaiter {
            outputWaiter = nil
            waiter.resume()
        }
    }

    private func sendFile(_ progress: FileProgress) -> Int {
        var offset = progress.offset
        let sent = sendfile(descriptor, progress.descriptor, &offset, min(progress.left, Self.fileBytes))
        if sent < 0 {
            if errno == EINTR { return sendFile(progress) }
            if errno != EAGAIN { close() }
            return 0
        }
        // The file became shorter than was promised: only an ended connection tells the client.
        if sent == 0 {
            close()
            return 0
        }
        sentBytes += sent
        owner.traffic.sent.add(sent)
        advance(progress, sent)
        return sent
    }

    private func sendFileThroughTLS(_ progress: FileProgress) -> Int {
        guard let scratch = owner.input.baseAddress else { return 0 }
        let got = pread(progress.descriptor, scratch, min(progress.left, owner.input.count), progress.offset)
        if got <= 0 {
            close()
            return 0
        }
        let bytes = UnsafeBufferPointer(start: UnsafePointer(scratch), count: got)
        let sent = send(bytes)
        guard phase != .closed else { return 0 }
        // Repeated with the same bytes from the file when the kernel is ready again.
        if sent > 0 { advance(progress, sent) }
        return sent
    }

    private func advance(_ progress: FileProgress, _ sent: Int) {
        if progress.left == sent {
            progress.close()
            file = nil
        } else {
            file = FileProgress(
                descriptor: progress.descriptor, offset: progress.offset + sent, left: progress.left - sent)
        }
    }
}
