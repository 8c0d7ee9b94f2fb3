// SPDX-License-Identifier: Apache-2.0

import Core
import Database
import HTTP
import JSON
import Testing

@testable import Identity

@Suite struct LimitTests {
    private let service = "0000000000000000000000000000c001"

    /// A cloud with one service and one region to limit.
    private func withService(
        _ engine: TestEngine = .sqlite, _ model: IdentitySettings.LimitModel = .flat,
        _ body: (IdentityFixture) async throws -> Void
    ) async throws {
        try await withCloud(engine, { $0.limitModel = model }) { cloud in
            let service = service
            try await cloud.environment.database.write("test.service") { connection in
                try connection.execute(
                    "INSERT INTO service (id, type, name, enabled, extra) VALUES ($1, 'compute', 'nova', 1, '{}')",
                    [.text(service)])
                try connection.execute("INSERT INTO region (id, description, extra) VALUES ('north', '', '{}')")
            }
            try await body(cloud)
        }
    }

    private func registered(_ name: String = "cores", _ more: [String: JSON] = [:]) -> JSON {
        let fields: JSON = [
            "service_id": .string(service), "resource_name": .string(name), "default_limit": 10,
        ]
        return fields.with(more)
    }

    private func limit(_ value: Int, _ place: [String: JSON], _ name: String = "cores") -> JSON {
        let fields: JSON = [
            "service_id": .string(service), "resource_name": .string(name), "resource_limit": .int(value),
        ]
        return fields.with(place)
    }

    private func register(_ cloud: IdentityFixture, _ limits: JSON...) async -> Reply {
        await cloud.post("/v3/registered_limits", ["registered_limits": .array(limits)])
    }

    private func set(_ cloud: IdentityFixture, _ limits: JSON...) async -> Reply {
        await cloud.post("/v3/limits", ["limits": .array(limits)])
    }

    @Test(arguments: TestEngine.available)
    func registeredLimitsLiveAsKeystoneHasThem(_ engine: TestEngine) async throws {
        try await withService(engine) { cloud in
            let made = await register(
                cloud, registered(), registered("ram", ["region_id": "north", "description": "MiB"]))
            #expect(made.status == 201)
            #expect(made.json["links"] == nil)
            let cores = try #require(made.json["registered_limits"]?[0])
            let ram = try #require(made.json["registered_limits"]?[1])
            #expect(cores["region_id"] == .null && cores["description"] == .null && cores["default_limit"] == 10)
            #expect(ram["region_id"] == "north" && ram["description"] == "MiB")
            let path = "/v3/registered_limits/\(cores.id)"
            #expect(cores["links"]?["self"] == .string("http://127.0.0.1:5000/identity\(path)"))
            #expect(await cloud.get(path).json["registered_limit"] == cores)
            let found = await cloud.get("/v3/registered_limits?region_id=north")
            #expect(found.ids("registered_limits") == [ram.id])
            #expect(try await cloud.statements("/v3/registered_limits?region_id=north") == 1)
            #expect(await cloud.get("/v3/registered_limits?resource_name=cores").ids("registered_limits") == [cores.id])
            #expect(await cloud.get("/v3/registered_limits?service_id=none").ids("registered_limits") == [])

            let changed = await cloud.patch(path, ["registered_limit": ["default_limit": 20, "region_id": "north"]])
            #expect(changed.status == 200)
            #expect(changed.json["registered_limit"]?["default_limit"] == 20)
            #expect(changed.json["registered_limit"]?["region_id"] == "north")
            let taken = await cloud.patch(path, ["registered_limit": ["resource_name": "ram"]])
            #expect(taken.status == 409)
            #expect(taken.message.contains("registered_limit - Duplicate entry"))
            #expect(await cloud.delete(path).status == 204)
            #expect(await cloud.get(path).status == 404)
            #expect(await cloud.delete(path).status == 404)
            #expect(await cloud.patch(path, ["registered_limit": ["default_limit": 1]]).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func severalAreMadeTogetherOrNotAtAll(_ engine: TestEngine) async throws {
        try await withService(engine) { cloud in
            #expect(await register(cloud, registered("a"), registered("a")).status == 409)
            #expect(await register(cloud, registered("a"), registered("b", ["region_id": "south"])).status == 400)
            #expect(await cloud.get("/v3/registered_limits").ids("registered_limits") == [])
            _ = await register(cloud, registered())
            let twice = limit(5, ["project_id": .string(Places.web.text)])
            #expect(await set(cloud, twice, twice).status == 409)
            #expect(await cloud.get("/v3/limits").ids("limits") == [])
        }
    }

    @Test(arguments: TestEngine.available)
    func limitsOfProjectsAndDomainsLiveAsKeystoneHasThem(_ engine: TestEngine) async throws {
        try await withService(engine) { cloud in
            let standard = await register(cloud, registered()).json["registered_limits"]?[0]
            let made = await set(
                cloud, limit(5, ["project_id": .string(Places.web.text)]),
                limit(50, ["domain_id": .string(Places.home.text), "description": "all of home"]))
            #expect(made.status == 201)
            let ofProject = try #require(made.json["limits"]?[0])
            let ofDomain = try #require(made.json["limits"]?[1])
            #expect(ofProject["project_id"] == .string(Places.web.text) && ofProject["domain_id"] == .null)
            #expect(ofDomain["domain_id"] == .string(Places.home.text) && ofDomain["project_id"] == .null)
            #expect(ofDomain["description"] == "all of home" && ofDomain["resource_name"] == "cores")
            let path = "/v3/limits/\(ofProject.id)"
            let shown = await cloud.get(path)
            #expect(shown.json["limit"] == ofProject)
            #expect(try await cloud.statements(path) == 1)
            #expect(try await cloud.statements("/v3/limits") == 1)
            #expect(await cloud.get("/v3/limits?project_id=\(Places.web)").ids("limits") == [ofProject.id])
            #expect(await cloud.get("/v3/limits?domain_id=\(Places.home)").ids("limits") == [ofDomain.id])
            #expect(await cloud.get("/v3/limits?service_id=\(service)&resource_name=cores").ids("limits").count == 2)
            #expect(await cloud.get("/v3/limits?region_id=north").ids("limits") == [])
            let family = await cloud.get("/v3/projects/\(Places.home)?subtree_as_list&include_limits")
            #expect(family.json["project"]?["subtree"] == [])

            let changed = await cloud.patch(path, ["limit": ["resource_limit": 7, "description": "more"]])
            #expect(changed.json["limit"]?["resource_limit"] == 7)
            #expect(await cloud.get(path).json["limit"]?["description"] == "more")
            #expect(await cloud.patch(path, ["limit": ["project_id": "x"]]).status == 400)
            // What limits rest on stays as it is.
            let base = "/v3/registered_limits/\(standard?.id ?? "")"
            let kept = await cloud.delete(base)
            #expect(kept.status == 403)
            #expect(kept.message.contains("project limits associated with it"))
            #expect(await cloud.patch(base, ["registered_limit": ["default_limit": 1]]).status == 403)

            #expect(await cloud.delete(path).status == 204)
            #expect(await cloud.get(path).status == 404)
            _ = await cloud.patch("/v3/domains/\(Places.home)", ["domain": ["enabled": false]])
            #expect(await cloud.delete("/v3/domains/\(Places.home)").status == 204)
            #expect(await cloud.get("/v3/limits").ids("limits") == [])
            #expect(await cloud.delete(base).status == 204)
        }
    }

    @Test func bodiesThatMakeNoSenseAreRefusedByField() async throws {
        try await withService { cloud in
            _ = await register(cloud, registered())
            let project = JSON.string(Places.web.text)
            let registrations: [(JSON, String)] = [
                (["registered_limits": []], "registered_limits"), ([:], "registered_limits"),
                (["registered_limits": ["x"]], "registered_limits[0]"),
                (["registered_limits": [registered("a", ["default_limit": -2])]], "default_limit"),
                (["registered_limits": [registered("a", ["default_limit": 2_147_483_648])]], "default_limit"),
                (["registered_limits": [registered("a", ["default_limit": "5"])]], "default_limit"),
                (["registered_limits": [registered("")]], "resource_name"),
                (["registered_limits": [registered("a", ["service_id": "none"])]], "service_id"),
                (["registered_limits": [registered("a", ["region_id": "none"])]], "region_id"),
                (["registered_limits": [registered("a", ["colour": "red"])]], "colour"),
            ]
            for (body, field) in registrations {
                let reply = await cloud.post("/v3/registered_limits", body)
                #expect(reply.status == 400, "\(body)")
                #expect(reply.message.contains(field), "\(reply.message)")
            }
            let limits: [(JSON, String)] = [
                (limit(1, [:]), "project_id"), (limit(1, ["project_id": project, "domain_id": "d"]), "project_id"),
                (limit(-2, ["project_id": project]), "resource_limit"),
                (limit(1, ["project_id": "none"]), "project_id"),
                (limit(1, ["project_id": .string(Places.home.text)]), "project_id"),
                (limit(1, ["domain_id": .string(Places.web.text)]), "domain_id"),
                (limit(1, ["project_id": project, "region_id": "none"]), "region_id"),
                (limit(1, ["project_id": project, "id": "x"]), "id"),
            ]
            for (body, field) in limits {
                let reply = await set(cloud, body)
                #expect(reply.status == 400, "\(body)")
                #expect(reply.message.contains(field), "\(reply.message)")
            }
            let loose = await set(cloud, limit(1, ["project_id": project], "ram"))
            #expect(loose.status == 403)
            #expect(loose.message.contains("no corresponding registered limit"))
            let many = JSON.array((0...1000).map { registered("r\($0)") })
            #expect(await cloud.post("/v3/registered_limits", ["registered_limits": many]).status == 400)
        }
    }

    @Test func theModelIsTold() async throws {
        try await withService(.sqlite, .flat) { cloud in
            #expect(await cloud.get("/v3/limits/model", as: .domainReader).json["model"]?["name"] == "flat")
        }
        try await withService(.sqlite, .strictTwoLevel) { cloud in
            let model = await cloud.get("/v3/limits/model", as: .projectReader).json["model"]
            #expect(model?["name"] == "strict_two_level")
            #expect(model?["description"]?.string?.contains("depth of two") == true)
        }
    }

    @Test(arguments: TestEngine.available)
    func flatLimitsDoNotBearOnEachOther(_ engine: TestEngine) async throws {
        try await withService(engine) { cloud in
            _ = await register(cloud, registered())
            #expect(await set(cloud, limit(5, ["domain_id": .string(Places.home.text)])).status == 201)
            #expect(await set(cloud, limit(500, ["project_id": .string(Places.web.text)])).status == 201)
        }
    }

    @Test(arguments: TestEngine.available)
    func strictLimitsStayUnderTheirDomains(_ engine: TestEngine) async throws {
        try await withService(engine, .strictTwoLevel) { cloud in
            _ = await register(cloud, registered())
            let (home, project) = (JSON.string(Places.home.text), JSON.string(Places.web.text))
            // Without a limit of the domain the registered standard of 10 is the upper one.
            let over = await set(cloud, limit(11, ["project_id": project]))
            #expect(over.status == 403)
            #expect(over.message.contains("doesn't satisfy current hierarchy model"))
            // Limits of one request count for each other.
            #expect(await set(cloud, limit(20, ["domain_id": home]), limit(21, ["project_id": project])).status == 403)
            let made = await set(cloud, limit(15, ["project_id": project]), limit(20, ["domain_id": home]))
            #expect(made.status == 201)
            let ofProject = made.json["limits"]?[0]?.id ?? "", ofDomain = made.json["limits"]?[1]?.id ?? ""
            func change(_ id: String, _ value: Int) async -> Int {
                await cloud.patch("/v3/limits/\(id)", ["limit": ["resource_limit": .int(value)]]).status
            }
            #expect(await change(ofProject, 21) == 403)
            #expect(await change(ofProject, 20) == 200)
            #expect(await change(ofDomain, 19) == 403)
            #expect(await change(ofDomain, -1) == 200)
            #expect(await change(ofProject, 1000) == 200)
            #expect(await change(ofDomain, 999) == 403)
            // Projects of other domains have no part in it.
            #expect(await set(cloud, limit(1, ["domain_id": .string(Places.away.text)])).status == 201)
        }
    }

    @Test func everyPersonaMayDoWhatKeystoneAllows() async throws {
        try await withService { cloud in
            _ = await register(cloud, registered(), registered("ram"))
            let base = await cloud.get("/v3/registered_limits?resource_name=ram").ids("registered_limits")[0]
            let made = await set(
                cloud, limit(5, ["project_id": .string(Places.web.text)]),
                limit(5, ["project_id": .string(Places.shop.text)])
            ).json["limits"]
            let own = made?[0]?.id ?? "", foreign = made?[1]?.id ?? ""
            for persona in Persona.callers {
                let denied = Persona.denial(persona)
                let mayChange = persona?.isAdmin ?? false && !(persona?.isScopedToDomain ?? false)
                let seesAll = persona?.isAdmin ?? false || persona?.isSystem ?? false
                let seesOwn = seesAll || persona?.isOf(Places.home) ?? false
                let seesForeign = seesAll || persona?.isOf(Places.away) ?? false
                let anyone = persona == nil ? 401 : 200
                #expect(await cloud.get("/v3/registered_limits", as: persona).status == anyone)
                #expect(await cloud.get("/v3/registered_limits/\(base)", as: persona).status == anyone)
                #expect(await cloud.get("/v3/limits/model", as: persona).status == anyone)
                #expect(
                    await cloud.get("/v3/limits/\(own)", as: persona).status == (seesOwn ? 200 : denied),
                    "\(String(describing: persona))")
                #expect(
                    await cloud.get("/v3/limits/\(foreign)", as: persona).status == (seesForeign ? 200 : denied),
                    "\(String(describing: persona))")
                let list = await cloud.get("/v3/limits", as: persona)
                #expect(list.status == anyone)
                #expect(list.ids("limits").contains(own) == seesOwn, "\(String(describing: persona))")
                #expect(list.ids("limits").contains(foreign) == seesForeign, "\(String(describing: persona))")

                let name = "by \(persona?.rawValue ?? "nobody")"
                let registration = await cloud.post(
                    "/v3/registered_limits", ["registered_limits": [registered(name)]], as: persona)
                #expect(registration.status == (mayChange ? 201 : denied), "\(String(describing: persona))")
                let update = await cloud.patch(
                    "/v3/registered_limits/\(base)", ["registered_limit": ["default_limit": 3]], as: persona)
                #expect(update.status == (mayChange ? 200 : denied), "\(String(describing: persona))")
                let change = await cloud.patch("/v3/limits/\(own)", ["limit": ["description": "d"]], as: persona)
                #expect(change.status == (mayChange ? 200 : denied), "\(String(describing: persona))")
                let body: JSON = ["limits": [limit(1, ["domain_id": .string(Places.away.text)], name)]]
                let created = await cloud.post("/v3/limits", body, as: persona)
                #expect(created.status == (mayChange ? 201 : denied), "\(String(describing: persona))")
                if !mayChange {
                    #expect(
                        await cloud.delete("/v3/limits/\(own)", as: persona).status == denied,
                        "\(String(describing: persona))")
                    #expect(
                        await cloud.delete("/v3/registered_limits/\(base)", as: persona).status == denied,
                        "\(String(describing: persona))")
                }
            }
        }
    }
}
