// SPDX-License-Identifier: Apache-2.0
// Any bytes give a tree or an error; a tree writes itself as a document that reads back as the same tree.

import FuzzDriver
import Glibc
import JSON

@main
struct JSONFuzz {
    static func main() {
        exit(fuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { fuzzOne(UnsafeBufferPointer(start: $0, count: $1)) })
    }
}

private func fuzzOne(_ input: UnsafeBufferPointer<UInt8>) -> Int32 {
    let bytes = Array(input)
    guard let tree = try? JSON.parse(bytes) else { return 0 }
    let written = tree.bytes
    guard let again = try? JSON.parse(written) else { preconditionFailure("what was written does not read") }
    precondition(again == tree, "what was written reads as something else")
    precondition(again.bytes == written, "writing is not stable")
    return 0
}
