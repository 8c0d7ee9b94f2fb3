// SPDX-License-Identifier: Apache-2.0
// Signals as values: blocked in every thread, and waited for by the main one. No handler runs anywhere.

import Glibc

enum Signals {
    enum Wish { case reload, end }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        return set
    }

    /// Before the first thread starts: threads inherit it.
    static func block() {
        signal(SIGPIPE, SIG_IGN)
        var set = set
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    static func wait() -> Wish {
        var set = set
        var number: Int32 = 0
        while sigwait(&set, &number) != 0 {}
        return number == SIGHUP ? .reload : .end
    }
}
