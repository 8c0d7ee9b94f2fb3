// SPDX-License-Identifier: Apache-2.0
// Seals secrets at rest with the cloud's secret key. The context binds a sealed value to its place
// ("credential:<id>"): moved to another row it does not open.

import Core
import Crypto

package struct Vault: Sendable {
    private let key: SealingKey
    private let keys: [SealingKey]

    /// The first key seals, all of them open.
    package init(_ keys: [SealingKey]) throws(CloudError) {
        guard let key = keys.first else { throw .internalError("a vault needs a key") }
        self.key = key
        self.keys = keys
    }

    func seal(_ bytes: [UInt8], context: String) -> [UInt8] { Sealed.seal(bytes, key: key, context: context) }

    func open(_ sealed: [UInt8], context: String) throws(CloudError) -> [UInt8] {
        guard let bytes = Sealed.open(sealed, keys: keys, context: context) else {
            throw .internalError("\(context) cannot be opened: the secret key file is not the one it was sealed with")
        }
        return bytes
    }
}
