// SPDX-License-Identifier: Apache-2.0
// A secret that a user keeps with the cloud: an EC2 key, the secret of one-time passwords, a certificate … The blob
// is sealed at rest.
//
// Invariant: what was made with a token of a trust or an application credential stays bound to it. The blob of an EC2
// key names it, no update can change that, and a token so limited reaches only the keys bound to the same.

import Core
import Crypto
import HTTP
import JSON

package struct CredentialRecord: Sendable, PolicyTarget {
    package var id: ID<Credential>
    package var user: ID<User>
    package var project: ID<Project>?
    package var type: String
    package var blob: String
    package var extra: JSON.Object

    package init(
        id: ID<Credential>, user: ID<User>, project: ID<Project>?, type: String, blob: String, extra: JSON.Object = [:]
    ) {
        self.id = id
        self.user = user
        self.project = project
        self.type = type
        self.blob = blob
        self.extra = extra
    }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.credential.id": id.text
        case "target.credential.user_id": user.text
        case "target.credential.project_id": project?.text
        case "target.credential.type": type
        default: nil
        }
    }

    package var isEC2: Bool { type.lowercased() == EC2Key.type }

    func write(_ w: inout JSONWriter, _ links: IdentityLinks) {
        w.object { w in
            w.field("id", id.text)
            w.field("user_id", user.text)
            w.field("project_id", orNull: project?.text)
            w.field("type", type)
            w.field("blob", blob)
            w.members(extra)
            links.write(&w, "/credentials/", id.text)
        }
    }
}

/// An access key and its secret, as an EC2 credential's blob holds them.
package struct EC2Key: Sendable, Equatable {
    package static let type = "ec2"
    /// What binds a key, by its names in the blob; never changed once the key is there.
    static let bindings = ["trust_id", "app_cred_id", "access_token_id", "access_id"]

    package let access: String
    package let secret: String
    package let trust: String?
    package let applicationCredential: String?

    package init(access: String, secret: String, _ delegation: Delegation) {
        self.access = access
        self.secret = secret
        trust = delegation.trustID
        applicationCredential = delegation.applicationCredentialID
    }

    /// nil when the blob is no JSON object with an access key.
    package init?(blob: String) {
        guard let value = try? JSON.parse(blob), let access = value["access"]?.string, !access.isEmpty else {
            return nil
        }
        self.access = access
        secret = value["secret"]?.string ?? ""
        trust = value["trust_id"]?.string
        applicationCredential = value["app_cred_id"]?.string
    }

    var blob: String {
        var object: JSON.Object = [
            "access": .string(access), "secret": .string(secret), "trust_id": trust.map { .string($0) } ?? .null,
        ]
        if let applicationCredential { object["app_cred_id"] = .string(applicationCredential) }
        return JSON.object(object).text
    }

    /// A key's credential is found by its access key alone.
    package static func id(access: String) -> ID<Credential> { ID(Hex.text(Digest.sha256(Array(access.utf8)))) }
}

/// What the caller's token was made from, when not from the user's own sign-in.
package struct Delegation: Sendable, Equatable {
    package let trustID: String?
    package let applicationCredentialID: String?

    package static let none = Delegation(trustID: nil, applicationCredentialID: nil)

    init(trustID: String?, applicationCredentialID: String?) {
        self.trustID = trustID
        self.applicationCredentialID = applicationCredentialID
    }

    package init(_ caller: Authority) {
        trustID = caller.trustID
        applicationCredentialID = caller.applicationCredentialID
    }

    var isNone: Bool { trustID == nil && applicationCredentialID == nil }

    func binds(_ credential: CredentialRecord) -> Bool {
        guard credential.isEC2, let key = EC2Key(blob: credential.blob) else { return false }
        return key.trust == trustID && key.applicationCredential == applicationCredentialID
    }
}
