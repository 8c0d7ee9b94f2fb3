// SPDX-License-Identifier: Apache-2.0
// One connection to one server: opened, secured, bound, searched, closed. Belongs to one thread, may block, and every
// wait in it ends within the settings' times. A connection on which anything but a clear answer came is not used
// again.

import CLDAP
import Glibc

final class LDAPConnection {
    private let handle: OpaquePointer
    private let watch: LDAPWatch
    private let callSeconds: Int
    private var file: Int32 = -1
    let url: String
    /// False once an answer may still be under way: what comes next could be mistaken for another's.
    private(set) var isSound = true

    /// The library reads the system's defaults on its first use, which must not happen twice at once.
    private static let isInitialized: Bool = {
        // It writes to sockets whose other end may be gone, and would end the process by that.
        signal(SIGPIPE, SIG_IGN)
        var handle: OpaquePointer?
        let result = ldap_initialize(&handle, "ldap://localhost")
        if let handle { ldap_destroy(handle) }
        return result == LDAP_SUCCESS
    }()

    /// A connection to `url`, with TLS when the settings want it, bound to nobody.
    ///
    /// The steps are separate because of what the library does with its network time-out: while TLS is being set up
    /// it makes reads return at once and then repeats them without a pause, for as long as the server is silent. So
    /// the time-out is on for connecting, off for the handshake, which the fuse ends instead, and on again.
    init(_ url: String, _ settings: LDAPSettings, _ watch: LDAPWatch) throws(LDAPError) {
        guard Self.isInitialized else { throw .unreachable("the LDAP library does not start") }
        let isTLS = url.hasPrefix("ldaps://")
        var handle: OpaquePointer?
        guard ldap_initialize(&handle, isTLS ? Self.plain(url) : url) == LDAP_SUCCESS, let handle else {
            throw .settings("\(url) is no LDAP URL")
        }
        self.handle = handle
        self.url = url
        self.watch = watch
        callSeconds = settings.networkSeconds + 1
        try set(settings)
        let connected = ldap_connect(handle)
        if connected != LDAP_SUCCESS { throw failure(connected) }
        var socket: Int32 = -1
        ldap_get_option(handle, LDAP_OPT_DESC, &socket)
        // A copy, which nobody closes under the fuse's hands.
        file = dup(socket)
        if isTLS || settings.startsTLS {
            try setNetworkTimeout(nil)
            let secured = call { settings.startsTLS ? ldap_start_tls_s(handle, nil, nil) : ldap_install_tls(handle) }
            if secured != LDAP_SUCCESS { throw failure(secured) }
            try setNetworkTimeout(settings.networkSeconds)
        }
    }

    deinit {
        ldap_unbind_ext(handle, nil, nil)
        if file >= 0 { close(file) }
    }

    /// The URL whose port is spoken to without the library's own TLS, which is begun by hand.
    private static func plain(_ url: String) -> String {
        let host = url.dropFirst("ldaps://".count)
        let end = host.firstIndex(of: "/") ?? host.endIndex
        let isPortNamed =
            host[..<end].split(separator: "]", omittingEmptySubsequences: false).last?.contains(":") ?? false
        return "ldap://\(host[..<end])\(isPortNamed ? "" : ":636")\(host[end...])"
    }

    /// One call of the library that may block; cut when it takes longer than the library's own time-outs should let it.
    private func call(_ body: () -> Int32) -> Int32 {
        guard file >= 0 else { return body() }
        let fuse = LDAPFuse(file)
        watch.add(seconds: callSeconds, isOver: { fuse.isOver }, expire: { fuse.blow() })
        let result = body()
        return fuse.disarm() && result != LDAP_SUCCESS ? LDAP_TIMEOUT : result
    }

    private func setNetworkTimeout(_ seconds: Int?) throws(LDAPError) {
        var wait = timeval(tv_sec: seconds ?? -1, tv_usec: 0)
        if ldap_set_option(handle, LDAP_OPT_NETWORK_TIMEOUT, &wait) != LDAP_SUCCESS {
            throw .settings("the network time-out is refused")
        }
    }

    private func set(_ settings: LDAPSettings) throws(LDAPError) {
        try setNetworkTimeout(settings.networkSeconds)
        var version = LDAP_VERSION3
        var wait = timeval(tv_sec: settings.networkSeconds, tv_usec: 0)
        var isDone =
            ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_SUCCESS
            && ldap_set_option(handle, LDAP_OPT_TIMEOUT, &wait) == LDAP_SUCCESS
            // Null is this option's "off": a referral would send our password to a server of another's choice.
            && ldap_set_option(handle, LDAP_OPT_REFERRALS, nil) == LDAP_SUCCESS
        var check = settings.checksCertificate ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER
        isDone = isDone && ldap_set_option(handle, LDAP_OPT_X_TLS_REQUIRE_CERT, &check) == LDAP_SUCCESS
        if let file = settings.authorityFile {
            isDone = isDone && ldap_set_option(handle, LDAP_OPT_X_TLS_CACERTFILE, file) == LDAP_SUCCESS
        }
        // The TLS options take effect in a context made after them.
        var forServer: Int32 = 0
        let context = ldap_set_option(handle, LDAP_OPT_X_TLS_NEWCTX, &forServer)
        guard isDone, context == LDAP_SUCCESS else {
            throw .settings(
                "the TLS settings are refused" + (settings.authorityFile.map { "; is \($0) readable?" } ?? ""))
        }
    }

    // MARK: Binding

    /// Whether the name and the password belong together. A server takes an empty password for no sign-in at all and
    /// says yes: callers must not get here with one.
    func bind(_ name: String, _ password: String) throws(LDAPError) -> Bool {
        precondition(!name.isEmpty && !password.isEmpty)
        var bytes = password.utf8.map { CChar(bitPattern: $0) }
        let result = bytes.withUnsafeMutableBufferPointer { bytes in
            var credentials = berval(bv_len: UInt(bytes.count), bv_val: bytes.baseAddress)
            return call { ldap_sasl_bind_s(handle, name, nil, &credentials, nil, nil, nil) }
        }
        switch result {
        case LDAP_SUCCESS: return true
        // Wrong password, no such entry, an entry without one, no name at all, or locked by the directory.
        case LDAP_INVALID_CREDENTIALS, LDAP_NO_SUCH_OBJECT, LDAP_INAPPROPRIATE_AUTH, LDAP_INVALID_DN_SYNTAX,
            LDAP_UNWILLING_TO_PERFORM, LDAP_CONSTRAINT_VIOLATION, LDAP_INSUFFICIENT_ACCESS:
            return false
        default: throw failure(result)
        }
    }

    /// Says hello without a name, which shows whether the server is there.
    func bindNobody() throws(LDAPError) {
        var nothing = berval(bv_len: 0, bv_val: nil)
        let result = call { ldap_sasl_bind_s(handle, nil, nil, &nothing, nil, nil, nil) }
        if result != LDAP_SUCCESS { throw failure(result) }
    }

    // MARK: Searching

    /// One page: `entries` of them, or everything up to `most` when `entries` is 0. `cookie` goes in as the last page
    /// left it and comes out empty after the last page.
    func page(
        _ search: LDAPSearch, _ entries: Int, most: Int, cookie: inout [UInt8]
    ) throws(LDAPError) -> [LDAPEntry] {
        let control = entries > 0 ? try pageControl(min(entries, most), cookie) : nil
        defer { if let control { ldap_control_free(control) } }
        var message: OpaquePointer?
        let result = run(search, control, most: entries > 0 ? 0 : most, &message)
        defer { ldap_msgfree(message) }
        cookie = []
        switch result {
        case LDAP_SUCCESS: cookie = nextCookie(message)
        // The server's own bound, or ours: what it gave is all there is to have.
        case LDAP_SIZELIMIT_EXCEEDED, LDAP_ADMINLIMIT_EXCEEDED: break
        case LDAP_NO_SUCH_OBJECT, LDAP_INVALID_DN_SYNTAX:
            if search.scope == .base { return [] }
            throw .noSuchBase(search.base)
        case LDAP_FILTER_ERROR: throw .badFilter(search.filter)
        default: throw failure(result)
        }
        return LDAPReader(handle).entries(message)
    }

    private func run(
        _ search: LDAPSearch, _ control: UnsafeMutablePointer<LDAPControl>?, most: Int, _ message: inout OpaquePointer?
    ) -> Int32 {
        search.withAttributeNames { names in
            // An empty list of controls stands for none.
            var controls = [control, nil]
            var wait = timeval(tv_sec: search.answerSeconds, tv_usec: 0)
            return call {
                ldap_search_ext_s(
                    handle, search.base, search.scopeNumber, search.filter, names, 0, &controls, nil, &wait,
                    Int32(clamping: most), &message)
            }
        }
    }

    private func pageControl(_ entries: Int, _ cookie: [UInt8]) throws(LDAPError) -> UnsafeMutablePointer<LDAPControl>?
    {
        var control: UnsafeMutablePointer<LDAPControl>?
        var bytes = cookie.map { CChar(bitPattern: $0) }
        let result = bytes.withUnsafeMutableBufferPointer { bytes in
            var value = berval(bv_len: UInt(bytes.count), bv_val: bytes.baseAddress)
            return ldap_create_page_control(handle, ber_int_t(clamping: entries), &value, 0, &control)
        }
        if result != LDAP_SUCCESS { throw failure(result) }
        return control
    }

    private func nextCookie(_ message: OpaquePointer?) -> [UInt8] {
        var controls: UnsafeMutablePointer<UnsafeMutablePointer<LDAPControl>?>?
        guard ldap_parse_result(handle, message, nil, nil, nil, nil, &controls, 0) == LDAP_SUCCESS, let controls else {
            return []
        }
        defer { ldap_controls_free(controls) }
        guard let found = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, nil) else { return [] }
        var estimate: ber_int_t = 0
        var value = berval()
        guard ldap_parse_pageresponse_control(handle, found, &estimate, &value) == LDAP_SUCCESS else { return [] }
        defer { ber_memfree(value.bv_val) }
        return Array(UnsafeRawBufferPointer(start: value.bv_val, count: Int(value.bv_len)))
    }

    // MARK: Failing

    /// The library's result as an error; the connection is given up unless the server itself answered.
    private func failure(_ result: Int32) -> LDAPError {
        let reason = String(cString: ldap_err2string(result)) + diagnosis
        // Results of the library's own are below zero; a server's are above.
        if result < 0 || result == LDAP_UNAVAILABLE || result == LDAP_BUSY { isSound = false }
        switch result {
        case LDAP_TIMEOUT: return .timeout
        case LDAP_SERVER_DOWN, LDAP_CONNECT_ERROR, LDAP_UNAVAILABLE, LDAP_BUSY, LDAP_LOCAL_ERROR:
            return .unreachable("\(url): \(reason)")
        case LDAP_INVALID_CREDENTIALS, LDAP_INSUFFICIENT_ACCESS, LDAP_STRONG_AUTH_REQUIRED:
            return .accountRefused(reason)
        default: return .refused(code: Int(result), reason)
        }
    }

    private var diagnosis: String {
        var text: UnsafeMutablePointer<CChar>?
        guard ldap_get_option(handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text) == LDAP_SUCCESS, let text else { return "" }
        defer { ldap_memfree(text) }
        let message = String(cString: text)
        return message.isEmpty ? "" : " (\(message))"
    }
}
