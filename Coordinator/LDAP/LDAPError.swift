// SPDX-License-Identifier: Apache-2.0
// What can go wrong with a directory, in the terms of a caller who must tell a user or an operator. The module knows no
// HTTP: Identity turns these into faults.

package enum LDAPError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The settings cannot work; says which and why.
    case settings(String)
    /// Too many callers wait for this directory already.
    case busy
    /// No answer within the time set for an operation.
    case timeout
    /// No server of the list can be reached, or its TLS is not trusted.
    case unreachable(String)
    /// The directory refuses the account that searches.
    case accountRefused(String)
    case badFilter(String)
    case noSuchBase(String)
    /// Anything else the server answers, with its code.
    case refused(code: Int, String)

    package var description: String {
        switch self {
        case .settings(let reason): "the directory's settings are wrong: \(reason)"
        case .busy: "too many requests wait for the directory"
        case .timeout: "the directory did not answer in time"
        case .unreachable(let reason): "no directory server can be reached: \(reason)"
        case .accountRefused(let reason): "the directory refuses the account that searches it: \(reason)"
        case .badFilter(let filter): "the directory cannot read the filter \(filter)"
        case .noSuchBase(let base): "the directory has no entry \(base)"
        case .refused(let code, let reason): "the directory answers with code \(code): \(reason)"
        }
    }
}
