// SPDX-License-Identifier: Apache-2.0
// The two files that let a client sign in: openrc for shells and clouds.yaml for SDKs, readable by their owner alone.

import Core

struct Credentials {
    let url: String
    let region: String
    let user: String
    let project: String
    let password: String
    /// A certificate to trust; empty when the system's authorities do.
    let authority: String

    func write(to directory: String) throws(CloudError) {
        try Files.write(directory + "/openrc", Array(openrc.utf8), mode: 0o600)
        try Files.write(directory + "/clouds.yaml", Array(clouds.utf8), mode: 0o600)
    }

    /// The password in an openrc written earlier, so that it can be written again with another URL.
    static func knownPassword(in directory: String) -> String? {
        guard let text = try? Files.text(directory + "/openrc") else { return nil }
        let start = "export OS_PASSWORD='"
        for line in text.split(separator: "\n") where line.hasPrefix(start) && line.hasSuffix("'") {
            return unquoted(line.dropFirst(start.count).dropLast())
        }
        return nil
    }

    private var openrc: String {
        let values =
            [
                ("OS_AUTH_TYPE", "password"), ("OS_AUTH_URL", url + "/identity/v3"), ("OS_IDENTITY_API_VERSION", "3"),
                ("OS_USERNAME", user), ("OS_PASSWORD", password), ("OS_PROJECT_NAME", project),
                ("OS_USER_DOMAIN_NAME", "Default"), ("OS_PROJECT_DOMAIN_NAME", "Default"), ("OS_REGION_NAME", region),
            ] + (authority.isEmpty ? [] : [("OS_CACERT", authority)])
        return "# Signs OpenStack's clients in to Martlet:  . openrc\n"
            + values.map { "export \($0.0)='\(Self.quoted($0.1))'\n" }.joined()
    }

    private var clouds: String {
        """
        # For OpenStack's SDKs and clients: --os-cloud martlet (OS_CLIENT_CONFIG_FILE names this file)
        clouds:
          martlet:
            auth_type: password
            auth:
              auth_url: \(Self.yaml(url + "/identity/v3"))
              username: \(Self.yaml(user))
              password: \(Self.yaml(password))
              project_name: \(Self.yaml(project))
              user_domain_name: Default
              project_domain_name: Default
            region_name: \(Self.yaml(region))
            identity_api_version: 3
        \(authority.isEmpty ? "" : "    cacert: \(Self.yaml(authority))\n")
        """
    }

    /// For the inside of single quotes in a shell.
    private static func quoted(_ text: String) -> String {
        text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    }

    private static func unquoted(_ text: Substring) -> String {
        var out = ""
        var rest = text
        while let scalar = rest.first {
            if rest.hasPrefix("'\\''") {
                out += "'"
                rest = rest.dropFirst(4)
            } else {
                out.append(scalar)
                rest = rest.dropFirst()
            }
        }
        return out
    }

    /// YAML's single quotes know one escape.
    private static func yaml(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
