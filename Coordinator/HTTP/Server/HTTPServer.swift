// SPDX-License-Identifier: Apache-2.0
// The server as Main sees it: listens, spreads connections over its loops, ends gracefully.
//
//     let server = try HTTPServer(options, dispatcher: dispatcher, log: log, metrics: metrics)
//     try server.start()
//     … SIGTERM: await server.drain(seconds: Limits.drainSeconds)

import Core
import EventLoop
import Glibc
import Synchronization

package final class HTTPServer: @unchecked Sendable {
    // Safe: everything is set in init and constant after; what changes lies in ServerLoop, Acceptor and TLSContext,
    // which are confined to a loop or guard themselves.

    package struct Options: Sendable {
        /// "127.0.0.1", "::" (both families), …
        package var address = "127.0.0.1"
        /// 0: any free one; `HTTPServer.port` tells which.
        package var port: UInt16 = 0
        package var loops = 1
        package var tls: TLSFiles?
        /// Addresses or networks of proxies whose X-Forwarded-* and Forwarded headers are believed.
        package var trustedProxies: [String] = []
        package var limits = HTTPLimits()
        package init() {}
    }

    /// How often the certificate's files are looked at.
    private static let certificateMilliseconds = 30_000

    package var port: Int { acceptor.port }
    package let loops: [EventLoop]
    private let owners: [ServerLoop]
    private let acceptor: Acceptor
    private let tls: TLSContext?
    private let traffic: ServerTraffic
    private let health: Health
    private let log: Log

    package init(_ options: Options, dispatcher: Dispatcher, log: Log, metrics: Metrics) throws {
        // A client that goes away must not end the process.
        signal(SIGPIPE, SIG_IGN)
        let most = DescriptorLimit.room(for: options.limits.connections)
        let traffic = ServerTraffic(metrics)
        let proxies = try TrustedProxies(options.trustedProxies)
        let tls = try options.tls.map { try TLSContext($0) }
        let loops = (0..<max(1, options.loops)).map { EventLoop(name: "http-\($0)") }
        let owners = loops.map { ServerLoop($0, dispatcher, options.limits, proxies, traffic, log) }
        let place = Placement(owners: owners, tls: tls)
        acceptor = try Acceptor(
            address: options.address, port: options.port, isPlain: tls == nil,
            mayAccept: { traffic.take(most) }, place: { place.place($0, $1) })
        metrics.gauge("martlet_http_connections", help: "Connections open now.") { Double(traffic.connections) }
        self.tls = tls
        self.loops = loops
        self.owners = owners
        self.traffic = traffic
        health = dispatcher.health
        self.log = log
    }

    package func start() {
        for loop in loops { loop.start() }
        loops[0].execute { [acceptor, loop = loops[0]] in acceptor.start(on: loop) }
        guard tls != nil else { return }
        let watch = CertificateWatch(self, loops[0], milliseconds: Self.certificateMilliseconds)
        loops[0].execute { watch.arm() }
    }

    /// Takes no more connections, lets requests under way end, and gives up on them after `seconds`. Ends the loops.
    package func drain(seconds: Int = Limits.drainSeconds) async {
        health.drain()
        await loops[0].run { [acceptor] in acceptor.stop() }
        for owner in owners { await owner.loop.run { owner.drain() } }
        let deadline = ContinuousClock.now + .seconds(seconds)
        while traffic.connections > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(10))
        }
        for owner in owners { await owner.loop.run { owner.closeAll() } }
        for loop in loops { loop.stop() }
    }

    /// Reads the certificate and key again if their files changed; connections already open keep the old ones.
    package func reloadCertificate() {
        do {
            if try tls?.reload() ?? false { log.info("the TLS certificate was read again") }
        } catch {
            log.error("the TLS certificate was not renewed, the old one stays in use: \(error)")
        }
    }
}

/// Gives each new connection to the loop with the fewest.
private final class Placement: @unchecked Sendable {
    // Safe: nothing here changes; the loads it compares are atomics.
    private let owners: [ServerLoop]
    private let tls: TLSContext?

    init(owners: [ServerLoop], tls: TLSContext?) {
        self.owners = owners
        self.tls = tls
    }

    func place(_ descriptor: Int32, _ peer: String) {
        let owner = owners.min { $0.load < $1.load } ?? owners[0]
        owner.willAdd()
        if owner.loop.isCurrent {
            Connection.open(descriptor, peer, owner, tls)
        } else {
            owner.loop.execute { [tls] in Connection.open(descriptor, peer, owner, tls) }
        }
    }
}

/// Looks at the certificate's files now and then; on a thread of its own, since a file system may hang.
private final class CertificateWatch: TimerTarget, @unchecked Sendable {
    // Safe: the timer is touched on the loop only; the server guards itself.
    private weak var server: HTTPServer?
    private let loop: EventLoop
    private let milliseconds: Int
    private var timer: LoopTimer?

    init(_ server: HTTPServer, _ loop: EventLoop, milliseconds: Int) {
        self.server = server
        self.loop = loop
        self.milliseconds = milliseconds
    }

    func arm() {
        let timer = timer ?? LoopTimer(self)
        self.timer = timer
        loop.arm(timer, milliseconds: milliseconds)
    }

    func timerFired() {
        guard let server else {
            if let timer { loop.cancel(timer) }
            timer = nil
            return
        }
        startThread(name: "certificate") { server.reloadCertificate() }
        arm()
    }
}
