// SPDX-License-Identifier: Apache-2.0
// The only place where an error becomes a status and a body. Each service wraps its faults in its own way, and clients
// read exactly that form.

import Core
import JSON

package struct Fault {
    let status: HTTPStatus
    let message: String
    let style: FaultStyle
    let requestID: String
    /// Services built on WebOb answer in HTML unless asked for JSON.
    let prefersJSON: Bool

    package init(_ error: CloudError, _ style: FaultStyle, requestID: String, prefersJSON: Bool = true) {
        status = Self.status(error.kind, style)
        message = error.message
        self.style = style
        self.requestID = requestID
        self.prefersJSON = prefersJSON
    }

    package static func response(
        _ error: CloudError, _ style: FaultStyle, requestID: String, prefersJSON: Bool = true
    ) -> Response {
        let fault = Fault(error, style, requestID: requestID, prefersJSON: prefersJSON)
        var response = error.body.map { Response.json(fault.status, rendered: $0) } ?? fault.response
        response.headers += error.headers
        return response
    }

    package static func status(_ kind: CloudError.Kind, _ style: FaultStyle) -> HTTPStatus {
        switch kind {
        case .badRequest: .badRequest
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .notAcceptable: .notAcceptable
        case .conflict, .noCapacity: .conflict
        case .gone: .gone
        case .preconditionFailed: .preconditionFailed
        case .tooLarge: .contentTooLarge
        case .unsupportedMedia: .unsupportedMediaType
        case .rangeNotSatisfiable: .rangeNotSatisfiable
        case .quotaExceeded: quotaStatus(style)
        case .tooManyRequests: .tooManyRequests
        case .headersTooLarge: .headersTooLarge
        case .timeout: .requestTimeout
        case .unsupported: .notImplemented
        case .unavailable: .serviceUnavailable
        case .deadline: .gatewayTimeout
        case .storageFull: .insufficientStorage
        case .internalError: .internalServerError
        }
    }

    private static func quotaStatus(_ style: FaultStyle) -> HTTPStatus {
        switch style {
        case .cinder, .glance, .swift: .contentTooLarge
        case .neutron: .conflict
        default: .forbidden
        }
    }

    private var response: Response {
        switch style {
        case .keystone, .plain: .json(status) { w in w.object { w in keystone(&w) } }
        case .nova, .cinder: .json(status) { w in w.object { w in nova(&w) } }
        case .neutron: .json(status) { w in w.object { w in neutron(&w) } }
        case .placement: .json(status) { w in w.object { w in placement(&w) } }
        case .heat: .json(status) { w in w.object { w in heat(&w) } }
        case .ironic: .json(status) { w in w.object { w in ironic(&w) } }
        case .glance: prefersJSON ? .json(status) { w in w.object { w in glance(&w) } } : page
        case .swift:
            .text(status, "<html><h1>\(status.reason)</h1><p>\(Self.escaped(message))</p></html>", type: Self.html)
        }
    }

    private func keystone(_ w: inout JSONWriter) {
        w.object("error") { w in
            w.field("code", status.code)
            w.field("message", message)
            w.field("title", "\(status.reason)")
        }
    }

    private func nova(_ w: inout JSONWriter) {
        w.object(Self.novaName(status.code)) { w in
            w.field("code", status.code)
            w.field("message", message)
        }
    }

    private static func novaName(_ code: Int) -> StaticString {
        switch code {
        case 400: "badRequest"
        case 401: "unauthorized"
        case 403: "forbidden"
        case 404: "itemNotFound"
        case 405: "badMethod"
        case 409: "conflictingRequest"
        case 413, 429: "overLimit"
        case 415: "badMediaType"
        case 501: "notImplemented"
        case 503: "serviceUnavailable"
        default: "computeFault"
        }
    }

    private func neutron(_ w: inout JSONWriter) {
        w.object("NeutronError") { w in
            w.field("type", Self.neutronType(status.code))
            w.field("message", message)
            w.field("detail", "")
        }
    }

    private static func neutronType(_ code: Int) -> String {
        switch code {
        case 400: "BadRequest"
        case 401: "Unauthorized"
        case 403: "PolicyNotAuthorized"
        case 404: "HTTPNotFound"
        case 409: "Conflict"
        case 503: "ServiceUnavailable"
        default: "HTTPInternalServerError"
        }
    }

    private func placement(_ w: inout JSONWriter) {
        w.array("errors") { w in
            w.object { w in
                w.field("status", status.code)
                w.field("title", "\(status.reason)")
                w.field("detail", message)
                w.field("code", "placement.undefined_code")
                w.field("request_id", requestID)
            }
        }
    }

    private func heat(_ w: inout JSONWriter) {
        w.field("code", status.code)
        w.field("title", "\(status.reason)")
        w.field("explanation", message)
        w.object("error") { w in
            w.field("message", message)
            w.field("traceback", orNull: nil as String?)
            w.field("type", "\(status.reason)".filter { $0 != " " })
        }
    }

    private func ironic(_ w: inout JSONWriter) {
        w.object("error_message") { w in
            w.field("faultcode", status.code < 500 ? "Client" : "Server")
            w.field("faultstring", message)
            w.field("debuginfo", orNull: nil as String?)
        }
    }

    private func glance(_ w: inout JSONWriter) {
        w.field("message", message)
        w.field("code", "\(status.code) \(status.reason)")
        w.field("title", "\(status.reason)")
    }

    private static let html = "text/html; charset=UTF-8"

    private var page: Response {
        let title = "\(status.code) \(status.reason)"
        let text = Self.escaped(message)
        return .text(
            status,
            "<html>\n <head>\n  <title>\(title)</title>\n </head>\n"
                + " <body>\n  <h1>\(title)</h1>\n  \(text)<br />\n </body>\n</html>",
            type: Self.html)
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.append(character)
            }
        }
        return out
    }
}
