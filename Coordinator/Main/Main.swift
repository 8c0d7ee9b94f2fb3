// SPDX-License-Identifier: Apache-2.0
// The coordinator's entry. The main thread reads the options and the configuration, sets the coordinator going and then
// waits for signals; everything else runs on threads of its own.
//
//     SIGTERM, SIGINT   take no more requests, finish those under way, end; a second one ends at once
//     SIGHUP            read the TLS certificate again, open the log file again (for logrotate)

import Core
import EventLoop
import Glibc

@main
struct Main {
    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            if let text = options.answer {
                print(text)
                return
            }
            try run(options)
        } catch {
            let message = (error as? CloudError)?.message ?? "\(error)"
            complain("martlet-coordinator: \(message)")
            exit(2)
        }
    }

    private static func run(_ options: Options) throws {
        umask(0o077)
        Signals.block()
        let loaded = try LoadedConfig.load(options.configPath, environment: Environment.read())
        if options.isCheckOnly { return print("\(options.configPath ?? "The environment") is in order.") }
        let file = try LogFile(options.logPath)
        let log = Log(file: file.descriptor, level: loaded.config.logLevel)
        startThread(name: "log") {
            while true {
                usleep(250_000)
                log.flush()
            }
        }
        let life = Life(log: log)
        let pidFile = try options.pidPath.map { path in
            try Files.write(path, Array("\(getpid())\n".utf8))
            return path
        }
        life.begin(loaded.config)
        while true {
            switch Signals.wait() {
            case .reload:
                file.reopen(log)
                life.reload()
            case .end:
                life.end { code in
                    if let pidFile { Files.remove(pidFile) }
                    _exit(code)
                }
            }
        }
    }

    static func complain(_ line: String) {
        let text = line + "\n"
        _ = write(2, text, text.utf8.count)
    }
}
