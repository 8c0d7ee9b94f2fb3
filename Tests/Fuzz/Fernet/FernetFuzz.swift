// SPDX-License-Identifier: Apache-2.0
// Any text is refused as a token or was made with the key; the readers of base 64 and password hashes take any text,
// and what they read writes itself back the same.

import Crypto
import FuzzDriver
import Glibc

private let key = FernetKey.random { _ in [UInt8](repeating: 7, count: 32) }
private let fernet = Fernet(keys: [key])
private let hasher = PasswordHasher(.argon2id(memoryKiB: 8, passes: 1))

@main
struct FernetFuzz {
    static func main() {
        exit(fuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { fuzzOne(UnsafeBufferPointer(start: $0, count: $1)) })
    }
}

private func fuzzOne(_ input: UnsafeBufferPointer<UInt8>) -> Int32 {
    let bytes = Array(input)
    _ = fernet.decrypt(input)
    // The input as the bytes behind a token's letters reaches past the first check.
    _ = fernet.decrypt(Base64.encodeURL(bytes))
    checkToken(bytes)
    checkBase64(input)
    // Hashes that would take long are left out: a hash costs what it says, within its bounds.
    let text = String(decoding: bytes, as: UTF8.self)
    if !text.hasPrefix("$") { precondition(!hasher.verify("x", text), "a hash without a form fits") }
    _ = hasher.needsRehash(text)
    return 0
}

/// A token made of the input opens; with the input's first byte changed in it, it does not.
private func checkToken(_ bytes: [UInt8]) {
    let payload = Array(bytes.prefix(512))
    var token = fernet.encrypt(payload, time: 1)
    let read = token.withUnsafeBufferPointer { fernet.decrypt($0) }
    precondition(read?.payload == payload && read?.issuedSeconds == 1, "a token does not open")
    guard let first = bytes.first, token[Int(first) % token.count] != first else { return }
    token[Int(first) % token.count] = first
    precondition(token.withUnsafeBufferPointer { fernet.decrypt($0) } == nil, "a changed token opens")
}

private func checkBase64(_ input: UnsafeBufferPointer<UInt8>) {
    let text = String(decoding: input, as: UTF8.self)
    if let read = Base64.decode(input) { precondition(Base64.encode(read) == text, "base 64 is not canonical") }
    if let read = Base64.decodeURL(input) {
        precondition(Base64.encodeURL(read) == text || Base64.encodeURL(read, padded: true) == text)
    }
    if let read = Base32.decode(text) { precondition(Base32.decode(Base32.encode(read)) == read) }
}
