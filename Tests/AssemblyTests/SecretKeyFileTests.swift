// SPDX-License-Identifier: Apache-2.0
import Assembly
import Core
import Glibc
import Testing

struct SecretKeyFileTests {
    func withDirectory(_ body: (String) throws -> Void) throws {
        let path = "/tmp/martlet-secret-\(Hex.text(SystemEntropy().bytes(8)))"
        try Files.makeDirectory(path, mode: 0o700)
        defer {
            Files.remove(path + "/secret.key")
            rmdir(path)
        }
        try body(path + "/secret.key")
    }

    @Test func `a key is made once and read back`() throws {
        try withDirectory { path in
            #expect(try SecretKeyFile.make(path))
            let first = try SecretKeyFile.read(path)
            #expect(first.count == 1)
            #expect(Files.mode(of: path) == 0o600)
            #expect(try !SecretKeyFile.make(path))
            #expect(try SecretKeyFile.read(path) == first)
        }
    }

    @Test func `a key that others may read, a broken one and a missing one are refused with a cure`() throws {
        try withDirectory { path in
            #expect(throws: CloudError.self) { try SecretKeyFile.read(path) }
            _ = try SecretKeyFile.make(path)
            chmod(path, 0o644)
            #expect(throws: CloudError.self) { try SecretKeyFile.read(path) }
            try Files.write(path, Array("too short\n".utf8), mode: 0o600)
            #expect(throws: CloudError.self) { try SecretKeyFile.read(path) }
            try Files.write(path, Array("# nothing\n".utf8), mode: 0o600)
            #expect(throws: CloudError.self) { try SecretKeyFile.read(path) }
        }
    }
}
