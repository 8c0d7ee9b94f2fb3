// SPDX-License-Identifier: Apache-2.0

import Core
import Database
import HTTP
import JSON
import Testing

@testable import Identity

@Suite struct DomainConfigTests {
    private static let config: JSON = [
        "identity": ["driver": "ldap"],
        "ldap": ["url": "ldap://directory:389/", "user_tree_dn": "ou=Users,dc=root,dc=org"],
    ]

    private func path(_ cloud: IdentityFixture, _ part: String = "") -> String {
        "/v3/domains/\(Places.home)/config\(part)"
    }

    @Test(arguments: TestEngine.available)
    func optionsAreSetWholeByGroupAndOneByOne(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            #expect(await cloud.get(path(cloud)).status == 404)
            let made = await cloud.put(path(cloud), ["config": Self.config])
            #expect(made.status == 201)
            #expect(made.json["config"] == Self.config)
            #expect(await cloud.get(path(cloud)).json["config"] == Self.config)
            #expect(await cloud.get(path(cloud, "/identity")).json["config"] == ["identity": ["driver": "ldap"]])
            #expect(await cloud.get(path(cloud, "/ldap/url")).json["config"] == ["url": "ldap://directory:389/"])

            let group = await cloud.patch(
                path(cloud, "/ldap"), ["config": ["ldap": ["url": "ldaps://new", "page_size": 5]]])
            #expect(group.status == 200)
            #expect(group.json["config"]?["ldap"]?["page_size"] == 5)
            #expect(group.json["config"]?["ldap"]?["user_tree_dn"] == "ou=Users,dc=root,dc=org")
            #expect(group.json["config"]?["identity"]?["driver"] == "ldap")
            let option = await cloud.patch(path(cloud, "/ldap/url"), ["config": ["url": "ldap://third"]])
            #expect(option.json["config"]?["ldap"]?["url"] == "ldap://third")

            #expect(await cloud.delete(path(cloud, "/ldap/url")).status == 204)
            #expect(await cloud.get(path(cloud, "/ldap/url")).status == 404)
            #expect(await cloud.delete(path(cloud, "/ldap")).status == 204)
            #expect(await cloud.get(path(cloud, "/ldap")).status == 404)
            #expect(await cloud.delete(path(cloud, "/ldap")).status == 404)

            let replaced = await cloud.put(path(cloud), ["config": ["ldap": ["suffix": "dc=x"]]])
            #expect(replaced.status == 200)
            #expect(replaced.json["config"] == ["ldap": ["suffix": "dc=x"]])
            #expect(await cloud.delete(path(cloud)).status == 204)
            #expect(await cloud.get(path(cloud)).status == 404)
            #expect(await cloud.delete(path(cloud)).status == 204)
        }
    }

    @Test(arguments: TestEngine.available)
    func aPasswordIsNeverShownAndLiesSealed(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let config: JSON = [
                "ldap": ["url": "ldap://u:%(password)s@h", "password": "s3cret", "user": "cn=%(missing)s,100%%"]
            ]
            let made = await cloud.put(path(cloud), ["config": config])
            #expect(made.status == 201)
            #expect(made.json["config"]?["ldap"]?["password"] == nil)
            #expect(made.json["config"]?["ldap"]?["url"] == "ldap://u:%(password)s@h")
            let whole = await cloud.get(path(cloud))
            #expect(!String(decoding: whole.body, as: UTF8.self).contains("s3cret"))
            #expect(await cloud.get(path(cloud, "/ldap/password")).status == 404)
            let stored = try await cloud.environment.database.read("test.stored") {
                try DomainConfigStore.options(of: Places.home, $0)
            }
            #expect(!stored.contains { String(decoding: $0.value, as: UTF8.self).contains("s3cret") })
            let used = try await DomainConfigService(environment: cloud.environment).configuration(of: Places.home)
            #expect(used.directory.password == "s3cret")
            #expect(used.directory.urls == ["ldap://u:s3cret@h"])
            #expect(used.directory.user == "cn=%(missing)s,100%")
            // It is changed and deleted like any other.
            #expect(await cloud.patch(path(cloud, "/ldap/password"), ["config": ["password": "x"]]).status == 200)
            #expect(await cloud.delete(path(cloud, "/ldap/password")).status == 204)
            #expect(await cloud.delete(path(cloud, "/ldap/password")).status == 404)
        }
    }

    @Test func whatADomainCannotSetIsRefused() async throws {
        try await withCloud(.sqlite) { cloud in
            let refused: [(HTTPMethod, String, JSON?, Int, String)] = [
                (.put, "", ["config": [:]], 403, "No options specified"),
                (.put, "", ["config": ["database": ["x": 1]]], 403, "Group database is not supported"),
                (.put, "", ["config": ["ldap": ["x": 1]]], 403, "Option x in group ldap is not supported"),
                (.put, "", ["config": ["ldap": [:]]], 403, "dictionary of options"),
                (.put, "", ["config": ["ldap": 1]], 403, "dictionary of options"),
                (.put, "", ["config": []], 400, "config"), (.put, "", [:], 400, "config"),
                (.patch, "/ldap", ["config": ["identity": ["driver": "sql"]]], 403, "contains group identity instead"),
                (.patch, "/ldap", ["config": ["identity": ["driver": "sql"], "ldap": ["url": "x"]]], 403, "only that"),
                (.patch, "/ldap/url", ["config": ["user": "x"]], 403, "contains option user instead"),
                (.patch, "/ldap/url", ["config": ["url": "x"]], 404, "option url in group ldap"),
                (.patch, "/ldap", ["config": ["ldap": ["url": "x"]]], 404, "group ldap"),
                (.get, "/database", nil, 403, "Group database"), (.get, "/ldap/x", nil, 403, "Option x"),
                (.delete, "/ldap/x", nil, 403, "Option x"), (.delete, "/ldap", nil, 404, "group ldap"),
            ]
            for (method, part, body, status, reason) in refused {
                let reply = await cloud.send(method, path(cloud, part), body)
                #expect(reply.status == status, "\(method) \(part)")
                #expect(reply.message.contains(reason), "\(reply.message)")
            }
            #expect(await cloud.put("/v3/domains/missing/config", ["config": Self.config]).status == 404)
            #expect(await cloud.get("/v3/domains/missing/config").status == 404)
            #expect(await cloud.put("/v3/domains/\(Places.web)/config", ["config": Self.config]).status == 404)
        }
    }

    @Test func standardsAndPasswordRulesAreToldToo() async throws {
        try await withCloud(.sqlite, { $0.passwordRegexHint = "Eight letters." }) { cloud in
            let whole = await cloud.get("/v3/domains/config/default").json["config"]
            #expect(whole?["identity"]?["driver"] == "sql")
            #expect(whole?["ldap"]?["password"] == nil)
            #expect(whole?["ldap"]?["user_objectclass"] == "inetOrgPerson")
            #expect(await cloud.get("/v3/domains/config/ldap/default").json["config"]?["identity"] == nil)
            let one = await cloud.get("/v3/domains/config/ldap/url/default")
            #expect(one.json["config"] == ["url": "ldap://localhost"])
            #expect(await cloud.get("/v3/domains/config/ldap/password/default").status == 403)
            #expect(await cloud.get("/v3/domains/config/nova/default").status == 403)
            for option in DomainConfigOption.all where !option.isSensitive {
                let reply = await cloud.get("/v3/domains/config/\(option.group)/\(option.name)/default")
                #expect(reply.json["config"]?[option.name] == option.standard)
            }
            let rules = "/v3/domains/default/config/security_compliance"
            let all = await cloud.get(rules, as: .projectReader).json["config"]?["security_compliance"]
            #expect(all == ["password_regex": .null, "password_regex_description": "Eight letters."])
            let hint = await cloud.get(rules + "/password_regex_description", as: .unscoped)
            #expect(hint.json["config"] == ["password_regex_description": "Eight letters."])
            #expect(await cloud.get(rules + "/lockout_duration").status == 403)
            #expect(await cloud.get(path(cloud, "/security_compliance")).status == 403)
        }
    }

    @Test(arguments: TestEngine.available)
    func aChangeTouchesTheDomainAndShowsAtOnce(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let service = DomainConfigService(environment: cloud.environment)
            let first = try await service.configuration(of: Places.home)
            #expect(first == .standard)
            for (change, driver) in [(HTTPMethod.put, DomainConfiguration.Driver.ldap), (.delete, .sql)] {
                let before = cloud.environment.stamps.snapshot([.domain(Places.home)])
                _ = await cloud.send(change, path(cloud), change == .put ? ["config": Self.config] : nil)
                #expect(!cloud.environment.stamps.isCurrent(before))
                #expect(try await service.configuration(of: Places.home).driver == driver)
            }
            #expect(try await service.configuration(of: Places.away) == .standard)
        }
    }

    @Test func valuesComeTypedHoweverTheyWereSent() {
        let configuration = DomainConfiguration([
            "identity.driver": "ldap", "identity.list_limit": "50", "ldap.url": "ldap://a, ldap://b",
            "ldap.page_size": "100",
            "ldap.use_tls": "true", "ldap.user_enabled_mask": 2, "ldap.query_scope": "sub", "ldap.suffix": "dc=x",
            "ldap.user_additional_attribute_mapping": ["mail:email", "broken"], "ldap.user_enabled_emulation": true,
            "ldap.pool_size": 100_000, "ldap.group_filter": "", "ldap.tls_req_cert": "sometimes",
            "ldap.chase_referrals": "no",
            "ldap.user_id_attribute": ["not", "a", "text"],
        ])
        let directory = configuration.directory
        #expect(configuration.driver == .ldap && configuration.listLimit == 50)
        #expect(directory.urls == ["ldap://a", "ldap://b"])
        #expect(directory.pageSize == 100 && directory.usesStartTLS && directory.userEnabledMask == 2)
        #expect(directory.searchesSubtree && directory.chasesReferrals == false)
        #expect(directory.userTree == "ou=Users,dc=x" && directory.groupTree == "ou=UserGroups,dc=x")
        #expect(directory.userExtraAttributes == [.init(attribute: "mail", name: "email")])
        #expect(directory.enabledGroup == "cn=enabled_users,ou=Users,dc=x")
        #expect(directory.poolSize == 256 && directory.groupFilter == nil)
        #expect(directory.certificates == .demand && directory.userID == "cn")
        #expect(DomainConfiguration(["identity.driver": "driver-1"]).driver == .sql)
    }

    @Test func referencesToOtherOptionsAreFilledIn() {
        let values = ["password": "p%(user)s"]
        for (text, result) in [
            ("", ""), ("plain", "plain"), ("%(password)s", "p%(user)s"),
            ("a%(password)sb%(password)sc", "ap%(user)sbp%(user)sc"),
            ("100%%", "100%"), ("100%", "100%"), ("%(password)", "%(password)"), ("%(password", "%(password"),
            ("%(other)s", "%(other)s"), ("%%(password)s", "%(password)s"), ("%()s", "%()s"), ("%d", "%d"),
        ] {
            #expect(Substitution.apply(text, values) == result, "\(text)")
        }
    }

    @Test func everyPersonaMayDoWhatKeystoneAllows() async throws {
        try await withCloud(.sqlite) { cloud in
            for persona in Persona.callers {
                let denied = Persona.denial(persona)
                let mayChange = persona?.isAdmin ?? false && !(persona?.isScopedToDomain ?? false)
                let maySee = mayChange || persona?.isSystem ?? false
                let made = await cloud.put(path(cloud), ["config": Self.config], as: persona)
                #expect(
                    mayChange ? [200, 201].contains(made.status) : made.status == denied,
                    "\(String(describing: persona))")
                _ = await cloud.put(path(cloud), ["config": Self.config])
                for part in ["", "/ldap", "/ldap/url"] {
                    let body: JSON = part == "/ldap/url" ? ["url": "x"] : ["ldap": ["url": "x"]]
                    let seen = await cloud.get(path(cloud, part), as: persona)
                    #expect(seen.status == (maySee ? 200 : denied), "\(String(describing: persona))")
                    let changed = await cloud.patch(path(cloud, part), ["config": body], as: persona)
                    #expect(changed.status == (mayChange ? 200 : denied), "\(String(describing: persona))")
                    let standard = "/v3/domains/config\(part)/default"
                    #expect(
                        await cloud.get(standard, as: persona).status == (maySee ? 200 : denied),
                        "\(String(describing: persona))")
                    if !mayChange {
                        #expect(
                            await cloud.delete(path(cloud, part), as: persona).status == denied,
                            "\(String(describing: persona))")
                    }
                }
                let missing = await cloud.get("/v3/domains/missing/config", as: persona)
                #expect(missing.status == (maySee ? 404 : denied), "\(String(describing: persona))")
                let rules = await cloud.get("/v3/domains/default/config/security_compliance", as: persona)
                #expect(rules.status == (persona == nil ? 401 : 200), "\(String(describing: persona))")
            }
        }
    }
}
