// SPDX-License-Identifier: Apache-2.0
// How one directory is reached. Several URLs are servers of the same directory: the first that answers is used, and one
// that failed is left alone for a while.

package struct LDAPSettings: Sendable, Equatable {
    /// "ldap://host:389" or "ldaps://host:636", in order of preference.
    package var urls: [String]
    /// Whom searches are made as; nil for anonymous.
    package var account: (name: String, password: String)? {
        get { accountName.map { ($0, accountPassword) } }
        set { (accountName, accountPassword) = (newValue?.name, newValue?.password ?? "") }
    }
    private var accountName: String?
    private var accountPassword = ""
    /// TLS is begun on a plain connection before anything else is said.
    package var startsTLS = false
    /// PEM file of the authorities to trust; nil for the system's.
    package var authorityFile: String?
    /// Off only for trying things out: without it anybody can pose as the directory.
    package var checksCertificate = true
    /// A connection, its TLS and each answer may take this long.
    package var networkSeconds = 5
    /// A whole operation, waiting for a thread included.
    package var operationSeconds = 10
    /// Connections for searching, and threads.
    package var connections = 4
    /// Operations waiting for a thread; more are refused at once.
    package var waiting = 200
    /// Entries asked for at a time; 0 where a server cannot page.
    package var pageEntries = 500
    /// A connection not used for this long is made anew: a firewall between may have forgotten it.
    package var idleSeconds = 60
    /// A server that failed is not tried again for this long, while others are there; alone, callers hear of it at
    /// once.
    package var restSeconds = 2

    package init(urls: [String], account: (name: String, password: String)? = nil) {
        self.urls = urls
        self.account = account
    }

    /// Says what cannot work before anything is tried.
    package func check() throws(LDAPError) {
        if urls.isEmpty { throw .settings("a URL is missing") }
        for url in urls {
            guard url.hasPrefix("ldap://") || url.hasPrefix("ldaps://"), !url.utf8.contains(where: { $0 <= 0x20 })
            else {
                throw .settings("\(url) is no ldap:// or ldaps:// URL")
            }
            if startsTLS, url.hasPrefix("ldaps://") {
                throw .settings("\(url) has TLS from the start, so it cannot be begun later")
            }
        }
        if let account, account.name.isEmpty || account.password.isEmpty {
            throw .settings("the account that searches needs a name and a password, or neither")
        }
        let numbers = [
            ("networkSeconds", networkSeconds, 1...300), ("operationSeconds", operationSeconds, 1...300),
            ("connections", connections, 1...64), ("waiting", waiting, 1...10_000),
            ("pageEntries", pageEntries, 0...100_000),
            ("idleSeconds", idleSeconds, 1...86_400), ("restSeconds", restSeconds, 0...3600),
        ]
        for (name, value, range) in numbers where !range.contains(value) {
            throw .settings("\(name) must be from \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
    }
}
