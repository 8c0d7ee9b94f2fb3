// SPDX-License-Identifier: Apache-2.0
// Other programs, for tests that need some.

import EventLoop
import Glibc

/// Starts a program; nil when it cannot be. Its standard output goes to `output`.
package func startProgram(_ program: String, _ arguments: [String], output: Int32 = 1) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    if output != 1 { posix_spawn_file_actions_adddup2(&actions, output, 1) }
    defer { posix_spawn_file_actions_destroy(&actions) }
    var pointers: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process = pid_t()
    return posix_spawn(&process, program, &actions, nil, &pointers, environ) == 0 ? process : nil
}

/// Waits until it has ended; returns its status. Blocks.
package func waitForProgram(_ process: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status >> 8 & 0xff
}

/// Runs a program to its end, off the threads that tests run on; returns its status.
package func runProgram(_ program: String, _ arguments: [String]) async -> Int32 {
    let status = try? await onThread("program") { startProgram(program, arguments).map(waitForProgram) }
    return (status ?? nil) ?? -1
}

/// The folder that holds the test program and everything built with it.
package var builtProgramsFolder: String {
    guard let path = realpath("/proc/self/exe", nil) else { return "." }
    defer { free(path) }
    return "/" + String(cString: path).split(separator: "/").dropLast().joined(separator: "/")
}
