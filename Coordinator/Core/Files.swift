// SPDX-License-Identifier: Apache-2.0
// Small files read and written whole: the configuration, keys, certificates, credentials. Every error names the file.

import Glibc

package enum Files {
    /// Far above any file read whole; a wrong path (a disk image, a device) must not fill the memory.
    package static let largestBytes = 16 << 20

    package static func read(_ path: String) throws(CloudError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("cannot be read", path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot be read", path) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: piece[..<count])
            guard bytes.count <= largestBytes else {
                throw .badRequest("\(path) is larger than \(largestBytes >> 20) MiB; is it the right file?")
            }
        }
    }

    package static func text(_ path: String) throws(CloudError) -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    /// The whole file or none of it: written beside, synced, then renamed over.
    package static func write(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws(CloudError) {
        let beside = "\(path).new-\(getpid())"
        let file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw failure("cannot be written", path) }
        var isWritten = fchmod(file, mode) == 0
        var at = 0
        while isWritten && at < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + at }, bytes.count - at) }
            if count < 0 && errno == EINTR { continue }
            isWritten = count > 0
            at += max(count, 0)
        }
        isWritten = isWritten && fsync(file) == 0
        let number = errno
        close(file)
        guard isWritten else {
            unlink(beside)
            errno = number
            throw failure("cannot be written", path)
        }
        guard rename(beside, path) == 0 else { throw failure("cannot be written", path) }
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Makes a directory and those above it; one that exists keeps its mode.
    package static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(CloudError) {
        if path.isEmpty || path == "/" || isDirectory(path) { return }
        try makeDirectory(directory(of: path), mode: mode)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("cannot be made", path) }
    }

    package static func isDirectory(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// The permission bits; nil when there is no such file.
    package static func mode(of path: String) -> mode_t? {
        var facts = stat()
        return stat(path, &facts) == 0 ? facts.st_mode & 0o7777 : nil
    }

    package static func remove(_ path: String) { unlink(path) }

    /// "/a/b" of "/a/b/c", "." of "c".
    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// A path as seen from a directory; an absolute one stays.
    package static func resolve(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") || path.isEmpty ? path : "\(directory)/\(path)"
    }

    /// The path from the root, without "." and "..", links followed as far as the path exists.
    package static func absolute(_ path: String) -> String {
        if let real = realpath(path, nil) {
            defer { free(real) }
            return String(cString: real)
        }
        let above = directory(of: path)
        let name = path.hasPrefix("/") ? path.dropFirst(above.count) : path[...]
        guard above != path else { return path }
        let last = String(name.split(separator: "/").last ?? "")
        let base = absolute(above)
        return base == "/" ? "/\(last)" : "\(base)/\(last)"
    }

    private static func failure(_ what: String, _ path: String) -> CloudError {
        .badRequest("\(path) \(what): \(String(cString: strerror(errno))).")
    }
}
