// SPDX-License-Identifier: Apache-2.0
// A coordinator with nothing in it but a reply of 2 KB and an upload that is counted and dropped: the floor that every
// service stands on, behind the real dispatcher, request log and metrics. `Tests/Benchmarks/floor` measures it.
//
//     Floor PORT LOOPS [CERTIFICATE KEY]

import Core
import EventLoop
import Glibc
import HTTP

struct FloorService: Service {
    let description = ServiceDescription(name: "floor", type: "floor", mount: "/floor", faults: .plain)
    let payload = [UInt8](repeating: UInt8(ascii: "x"), count: 2048)

    var routes: [Route] {
        [
            Route(.get, "/reply", open: .open) { [payload] _ in .json(rendered: payload) },
            Route(.get, "/things/{thing_id}", open: .open) { [payload] _ in .json(rendered: payload) },
            Route(.put, "/upload", open: .open) { call in
                var count = 0
                while let piece = try await call.request.body.next() { count += piece.count }
                return .text(.created, "\(count)")
            },
        ]
    }
}

struct NoAuthenticator: Authenticator {
    func authority(of request: Request, for service: ServiceDescription) async throws -> Authority? { nil }
}

@main struct Floor {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, let port = UInt16(arguments[1]), let loops = Int(arguments[2]) else {
            print("usage: Floor PORT LOOPS [CERTIFICATE KEY]")
            exit(2)
        }
        let log = Log(file: open("/dev/null", O_WRONLY))
        let metrics = Metrics()
        let dispatcher = try Dispatcher(
            services: [FloorService()], policy: PolicyTable([]), authenticator: NoAuthenticator(), log: log,
            metrics: metrics)
        var options = HTTPServer.Options()
        options.port = port
        options.loops = loops
        if arguments.count > 4 { options.tls = TLSFiles(certificate: arguments[3], key: arguments[4]) }
        let server = try HTTPServer(options, dispatcher: dispatcher, log: log, metrics: metrics)
        server.start()
        print("listening on \(server.port)")
        fflush(nil)
        while true {
            usleep(250_000)
            log.flush()
        }
    }
}
