// swift-tools-version: 6.2
// Every target of Martlet, dependency arrows only downwards (see README.md of each top folder).
import Foundation
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// A folder's page is no source; SwiftPM warns of files it is not told about, and of exclusions that are not there.
func page(_ path: String) -> [String] {
    FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(path)/README.md") ? ["README.md"] : []
}

func module(_ name: String, _ path: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: path, exclude: page(path), swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: strict)
}

func tool(_ name: String, _ path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

/// Built only when asked for, so that a usual build does not pay for them.
let benchmarks = Context.environment["MARTLET_BENCHMARKS"] == nil ? [] : [
    tool("Floor", "Tests/Benchmarks/Floor", ["HTTP", "Core", "EventLoop"]),
    tool("HashRate", "Tests/Benchmarks/HashRate", ["Crypto"]),
]

/// Built by Tests/Fuzz/run, with the sanitizers on everything.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: "Fuzz\(name)", dependencies: dependencies + ["FuzzDriver"], path: "Tests/Fuzz/\(name)")
}

let fuzzers = Context.environment["MARTLET_FUZZ"] == nil ? [] : [
    .target(name: "FuzzDriver", path: "Tests/Fuzz/Driver"),
    fuzzer("JSON", ["JSON"]),
    fuzzer("Fernet", ["Crypto"]),
    fuzzer("HTTP", ["HTTP"]),
]

let package = Package(
    name: "martlet",
    products: [
        .executable(name: "martlet-coordinator", targets: ["MartletCoordinator"]),
        .executable(name: "martlet", targets: ["MartletCommand"]),
    ],
    targets: [
        // What both programs share
        .target(name: "CSystem", path: "Protocol/CSystem"),
        .systemLibrary(name: "COpenSSL", path: "Protocol/Libraries/COpenSSL"),
        .systemLibrary(name: "CSodium", path: "Protocol/Libraries/CSodium"),
        module("EventLoop", "Protocol/EventLoop", ["CSystem"]),
        module("Crypto", "Protocol/Crypto", ["COpenSSL", "CSodium", "CSystem", "EventLoop"]),

        // The coordinator, lowest first
        .systemLibrary(name: "CSQLite", path: "Coordinator/Libraries/CSQLite"),
        .systemLibrary(name: "CPostgres", path: "Coordinator/Libraries/CPostgres"),
        .systemLibrary(name: "CLDAP", path: "Coordinator/Libraries/CLDAP"),
        module("JSON", "Coordinator/JSON", []),
        module("Core", "Coordinator/Core", ["JSON", "CSystem"]),
        module("Database", "Coordinator/Database", ["Core", "EventLoop", "CSQLite", "CPostgres", "CSystem"]),
        module("HTTP", "Coordinator/HTTP", ["Core", "JSON", "EventLoop", "Crypto", "CSystem", "COpenSSL"]),
        module("Events", "Coordinator/Events", ["Core", "JSON", "Database", "EventLoop"]),
        module("Jobs", "Coordinator/Jobs", ["Core", "JSON", "Database", "EventLoop", "Events"]),
        module("LDAP", "Coordinator/LDAP", ["Core", "EventLoop", "CLDAP"]),
        module("Identity", "Coordinator/Identity",
            ["Core", "JSON", "Database", "HTTP", "Events", "Jobs", "Crypto", "EventLoop", "LDAP"]),
        module("Assembly", "Coordinator/Assembly",
            ["Core", "JSON", "Database", "HTTP", "Events", "Jobs", "Identity", "Crypto", "EventLoop"]),
        .executableTarget(name: "MartletCoordinator",
            dependencies: ["Assembly", "Core", "JSON", "Database", "HTTP", "Events", "Jobs", "Identity", "EventLoop", "Crypto",
                "CSystem"],
            path: "Coordinator/Main", swiftSettings: strict),
        .executableTarget(name: "MartletCommand",
            dependencies: ["Assembly", "Core", "JSON", "Database", "HTTP", "Events", "Jobs", "Identity", "Crypto", "EventLoop",
                "CSystem", "COpenSSL"],
            path: "Coordinator/Command", swiftSettings: strict),

        tests("JSONTests", ["JSON"]),
        tests("CoreTests", ["Core", "JSON"]),
        tests("CryptoTests", ["Crypto"]),
        tests("EventLoopTests", ["EventLoop"]),
        module("DatabaseTesting", "Tests/DatabaseTesting", ["Database", "Core", "EventLoop"]),
        module("JobsTesting", "Tests/JobsTesting", ["Jobs", "Database", "DatabaseTesting", "Core"]),
        .executableTarget(name: "DurabilityWriter",
            dependencies: ["Database", "Core"], path: "Tests/DurabilityWriter", swiftSettings: strict),
        tests("DatabaseTests", ["Database", "DatabaseTesting", "DurabilityWriter", "EventLoop", "Core"]),
        tests("HTTPTests", ["HTTP", "Core", "JSON", "EventLoop", "Crypto", "COpenSSL"]),
        tests("EventsTests", ["Events", "Database", "DatabaseTesting", "Core", "JSON"]),
        tests("JobsTests", ["Jobs", "JobsTesting", "Database", "DatabaseTesting", "Core", "EventLoop", "JSON"]),
        tests("LDAPTests", ["LDAP", "Core"]),
        tests("AssemblyTests", ["Assembly", "Core", "JSON", "Database", "Identity", "Crypto"]),
        tests("IdentityTests", ["Identity", "HTTP", "Jobs", "Events", "Database", "DatabaseTesting", "Core", "JSON", "Crypto", "EventLoop", "LDAP"]),
    ] + benchmarks + fuzzers,
    swiftLanguageModes: [.v6]
)
