// SPDX-License-Identifier: Apache-2.0
// Stands for types that land with Database, Crypto and Events; removed as soon as they are there.

import Core
import Database
import HTTP

struct EventRecorder: Sendable {}
/// Seals secrets at rest with the master key; `context` binds a sealed value to its place ("credential:<id>").
struct Vault: Sendable {
    func seal(_ bytes: [UInt8], context: String) throws -> [UInt8] { bytes }
    func open(_ sealed: [UInt8], context: String) throws -> [UInt8] { sealed }
}
extension IdentityEnvironment {
    func store(_ changes: Changes, by call: Call?, _ connection: any Connection) throws -> [StoredRevocation] { [] }
}
