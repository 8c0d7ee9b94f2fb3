// SPDX-License-Identifier: Apache-2.0
// `martlet doctor`: looks at everything a coordinator depends on and names a cure for what is not well.

import Core

enum DoctorCommand {
    static let all = [doctor]

    private static let doctor = Subcommand(
        "doctor", "Check this machine, the configuration, the database and the service; name a cure for each finding",
        detail: "Ends with exit code 1 when something is wrong, 0 otherwise.",
        options: [.init("--quiet", nil, "show only warnings and errors")]
    ) { invocation in
        let findings = await examine(invocation)
        if invocation.wantsJSON {
            Terminal.json { w in
                w.array { w in
                    for finding in findings {
                        w.object { w in
                            w.field("level", finding.level.rawValue)
                            w.field("subject", finding.subject)
                            w.field("text", finding.text)
                            w.field("cure", finding.cure)
                        }
                    }
                }
            }
        } else {
            report(findings, isQuiet: invocation.has("--quiet"))
        }
        return findings.contains { $0.level == .error } ? .failure : .success
    }

    private static func examine(_ invocation: Invocation) async -> [Finding] {
        let host = HostChecks.all()
        let path = Files.absolute(invocation.configPath)
        do {
            let config = try invocation.config()
            return [.fine("configuration", path)] + StorageChecks.all(config, configPath: path)
                + (await ServiceChecks.all(config)) + host
        } catch {
            let text = (error as? CloudError)?.message ?? "\(error)"
            return [
                .error("configuration", text, cure: "`martlet config template` shows every key and what it may be.")
            ] + host
        }
    }

    private static func report(_ findings: [Finding], isQuiet: Bool) {
        let shown = isQuiet ? findings.filter { $0.level == .warning || $0.level == .error } : findings
        let width = shown.map(\.subject.count).max() ?? 0
        for finding in shown {
            let subject = finding.subject + String(repeating: " ", count: width - finding.subject.count)
            let level = finding.level.rawValue + String(repeating: " ", count: 7 - finding.level.rawValue.count)
            Terminal.say("\(level)  \(subject)  \(finding.text)")
            if !finding.cure.isEmpty { Terminal.say(String(repeating: " ", count: width + 11) + "-> \(finding.cure)") }
        }
        let errors = findings.count { $0.level == .error }
        let warnings = findings.count { $0.level == .warning }
        if !isQuiet { Terminal.say("\n\(findings.count) checks, \(errors) errors, \(warnings) warnings.") }
    }
}
