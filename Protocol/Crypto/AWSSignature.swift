// SPDX-License-Identifier: Apache-2.0
// The signatures with which EC2 and S3 clients prove a secret without sending it, computed from the request as
// Keystone's /ec2tokens and /s3tokens receive it. Versions 0, 1 and 2 sign the parameters; version 4 signs the whole
// request with a key derived from date, region and service. Pure functions: who may call, and how old a request may
// be, is decided above.

package enum AWSSignatureError: Error, Equatable, Sendable {
    case unknownVersion(String)
    /// Neither a version nor an AWS4-HMAC-SHA256 authorization.
    case unrecognized
    case missing(String)
    /// The date of the request is not the one its credential was made for.
    case dateMismatch
}

package struct AWSRequest: Sendable {
    package var verb: String
    package var host: String
    package var path: String
    package var parameters: [String: String]
    package var headers: [String: String]
    /// SHA-256 of the body in hexadecimal; version 4 only.
    package var bodyHash: String

    package init(
        verb: String, host: String, path: String, parameters: [String: String], headers: [String: String] = [:],
        bodyHash: String = ""
    ) {
        self.verb = verb
        self.host = host
        self.path = path
        self.parameters = parameters
        self.headers = headers
        self.bodyHash = bodyHash
    }

    /// Header names mean the same in any case.
    func header(_ name: String) -> String? {
        headers[name] ?? headers.first { $0.key.lowercased() == name.lowercased() }?.value
    }

    /// When the client says it signed, in extended ISO 8601; nil when it left the time out on purpose.
    package var timestamp: String? {
        guard let text = parameters["Timestamp"] ?? header("X-Amz-Date") ?? parameters["X-Amz-Date"] else { return nil }
        let letters = Array(text.utf8)
        guard letters.count == 16, letters[8] == UInt8(ascii: "T"), letters[15] == UInt8(ascii: "Z") else {
            return text
        }
        func part(_ range: Range<Int>) -> String { String(decoding: letters[range], as: UTF8.self) }
        return "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z"
    }
}

package enum AWSSignature {
    /// Whether `signature` is the one this secret gives the request. Some clients leave the port out of the host they
    /// sign, so a host with a port is also tried without.
    package static func matches(
        _ signature: String, secret: String, _ request: AWSRequest
    ) throws(AWSSignatureError) -> Bool {
        if ConstantTime.equal(signature, try expected(secret: secret, request)) { return true }
        guard let colon = request.host.lastIndex(of: ":") else { return false }
        var bare = request
        bare.host = String(request.host[..<colon])
        return ConstantTime.equal(signature, try expected(secret: secret, bare))
    }

    /// The signature of a request, by the version it names.
    package static func expected(secret: String, _ request: AWSRequest) throws(AWSSignatureError) -> String {
        switch request.parameters["SignatureVersion"] {
        case "0": return try version0(secret, request)
        case "1": return version1(secret, request)
        case "2": return version2(secret, request)
        case let other:
            if request.header("Authorization")?.hasPrefix("AWS4-HMAC-SHA256") ?? false
                || request.parameters["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
            {
                return try AWSVersion4(request).signature(secret: secret)
            }
            if let other { throw .unknownVersion(other) }
            throw .unrecognized
        }
    }

    /// The signature of an S3 request, whose text to sign comes ready in base 64: HMAC-SHA1, or version 4 when the
    /// text is an AWS4 one. Nil when the text cannot be what a client signs.
    package static func s3(secret: String, token: String) -> String? {
        let standard = token.utf8.map {
            $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? 0x5f : $0
        }
        guard let text = standard.withUnsafeBufferPointer(Base64.decodeURL) else { return nil }
        guard text.starts(with: "AWS4".utf8) else { return Base64.encode(HMAC.sha1(key: secret.utf8, text)) }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, lines[0] == "AWS4-HMAC-SHA256" else { return nil }
        let scope = lines[2].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // The key of another service must not open S3.
        guard scope.count == 4, scope[2] == "s3", scope[3] == "aws4_request" else { return nil }
        return AWSVersion4.hexadecimal(HMAC.sha256(key: AWSVersion4.key(secret, scope), text))
    }

    package static func matchesS3(_ signature: String, secret: String, token: String) -> Bool {
        guard let expected = s3(secret: secret, token: token) else { return false }
        return ConstantTime.equal(signature, expected)
    }

    // MARK: Versions 0, 1, 2

    private static func version0(_ secret: String, _ request: AWSRequest) throws(AWSSignatureError) -> String {
        guard let action = request.parameters["Action"] else { throw .missing("Action") }
        guard let time = request.parameters["Timestamp"] else { throw .missing("Timestamp") }
        return Base64.encode(HMAC.sha1(key: secret.utf8, (action + time).utf8))
    }

    private static func version1(_ secret: String, _ request: AWSRequest) -> String {
        let sorted = request.parameters.sorted { a, b in
            let left = a.key.lowercased(), right = b.key.lowercased()
            return left == right ? a.key < b.key : left < right
        }
        return Base64.encode(HMAC.sha1(key: secret.utf8, sorted.map { $0.key + $0.value }.joined().utf8))
    }

    /// Always by SHA-256, as the parameter SignatureMethod is then set to say.
    private static func version2(_ secret: String, _ request: AWSRequest) -> String {
        var parameters = request.parameters
        parameters["SignatureMethod"] = "HmacSHA256"
        let text = "\(request.verb)\n\(request.host)\n\(request.path)\n\(canonicalQuery(parameters))"
        return Base64.encode(HMAC.sha256(key: secret.utf8, text.utf8))
    }

    /// Sorted by name, everything but letters, digits, "-", "_", "." and "~" percent-encoded.
    static func canonicalQuery(_ parameters: [String: String]) -> String {
        parameters.sorted { Array($0.key.unicodeScalars).lexicographicallyPrecedes(Array($1.key.unicodeScalars)) }
            .map { "\(percentEncoded($0.key))=\(percentEncoded($0.value))" }.joined(separator: "&")
    }

    private static func percentEncoded(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: out.append(byte)
            default: out += [0x25, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
