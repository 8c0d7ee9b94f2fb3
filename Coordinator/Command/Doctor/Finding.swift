// SPDX-License-Identifier: Apache-2.0
// What `martlet doctor` has to say about one thing: how it is and, when it is not well, what to do.

struct Finding: Sendable {
    enum Level: String, Sendable {
        case fine = "ok"
        case note
        case warning
        case error
    }
    let level: Level
    let subject: String
    let text: String
    /// What to do; empty when nothing is needed.
    let cure: String

    static func fine(_ subject: String, _ text: String) -> Finding {
        Finding(level: .fine, subject: subject, text: text, cure: "")
    }
    static func note(_ subject: String, _ text: String, cure: String = "") -> Finding {
        Finding(level: .note, subject: subject, text: text, cure: cure)
    }
    static func warning(_ subject: String, _ text: String, cure: String) -> Finding {
        Finding(level: .warning, subject: subject, text: text, cure: cure)
    }
    static func error(_ subject: String, _ text: String, cure: String) -> Finding {
        Finding(level: .error, subject: subject, text: text, cure: cure)
    }
}
