// SPDX-License-Identifier: Apache-2.0
// The file with the key that seals what the database holds in secret (credentials, second factors, signing keys).
// Made once by `martlet init`; whoever has lost it has lost those. It may hold several keys, one a line, newest
// first: the first one seals, all of them open.

import Core
import Crypto
import Glibc

package enum SecretKeyFile {
    package static func read(_ path: String) throws(CloudError) -> [SealingKey] {
        guard Files.exists(path) else {
            throw .badRequest(
                "The secret key \(path) is missing. `martlet init` makes one for a new cloud; "
                    + "for a cloud that has data, bring "
                    + "the file back from the backup.")
        }
        if let mode = Files.mode(of: path), mode & 0o077 != 0 {
            throw .badRequest("Others than its owner may read the secret key; run: chmod 600 \(path)")
        }
        var keys: [SealingKey] = []
        for line in try Files.text(path).split(separator: "\n") where !line.hasPrefix("#") {
            guard let key = SealingKey(text: line) else {
                throw .badRequest(
                    "\(path) has a line that is no key: 32 bytes in base64, as `martlet init` wrote them.")
            }
            keys.append(key)
        }
        guard !keys.isEmpty else { throw .badRequest("\(path) holds no key. Bring the file back from the backup.") }
        return keys
    }

    /// Makes the file unless it is there; true if it was made.
    package static func make(_ path: String) throws(CloudError) -> Bool {
        guard !Files.exists(path) else { return false }
        let text = """
            # The secret key of this cloud. Keep a copy apart from the database's backup; never give it away.
            \(SealingKey.random().text)

            """
        try Files.write(path, Array(text.utf8), mode: 0o600)
        return true
    }
}
