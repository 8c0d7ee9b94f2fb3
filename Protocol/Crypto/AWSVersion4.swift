// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4: canonical request -> text to sign -> signature, with the parts taken from the Authorization
// header or, for a signed URL, from the X-Amz- parameters.

struct AWSVersion4 {
    private let request: AWSRequest
    private let signedHeaders: String
    private let date: String
    /// date, region, service, "aws4_request"
    private let scope: [String]

    init(_ request: AWSRequest) throws(AWSSignatureError) {
        self.request = request
        guard let credential = Self.part("Credential", request) else { throw .missing("Credential") }
        guard let signed = Self.part("SignedHeaders", request) else { throw .missing("SignedHeaders") }
        guard let date = request.header("X-Amz-Date") ?? request.parameters["X-Amz-Date"] else {
            throw .missing("X-Amz-Date")
        }
        scope = credential.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        guard scope.count == 4 else { throw .missing("Credential") }
        guard !scope[0].isEmpty, date.hasPrefix(scope[0]) else { throw .dateMismatch }
        signedHeaders = signed
        self.date = date
    }

    /// "Credential=…, SignedHeaders=…" of the header, or the parameter of that name.
    private static func part(_ name: String, _ request: AWSRequest) -> String? {
        guard let authorization = request.header("Authorization") else { return request.parameters["X-Amz-\(name)"] }
        for word in authorization.split(whereSeparator: { $0 == "," || $0 == " " }) where word.hasPrefix("\(name)=") {
            return String(word.dropFirst(name.utf8.count + 1))
        }
        return nil
    }

    func signature(secret: String) -> String {
        let canonical = [
            request.verb.uppercased(), request.path, query, headers, signedHeaders, request.bodyHash,
        ].joined(separator: "\n")
        let text = [
            "AWS4-HMAC-SHA256", date, scope.joined(separator: "/"), Self.hexadecimal(Digest.sha256(canonical.utf8)),
        ].joined(separator: "\n")
        return Self.hexadecimal(HMAC.sha256(key: Self.key(secret, scope), text.utf8))
    }

    /// The parameters of a POST are its body, and signed as that. A signed URL does not sign its own signature.
    private var query: String {
        if request.verb.uppercased() == "POST" { return "" }
        var parameters = request.parameters
        parameters["X-Amz-Signature"] = nil
        return AWSSignature.canonicalQuery(parameters)
    }

    private var headers: String {
        var values: [String: String] = [:]
        for (name, value) in request.headers { values[Self.trimmed(name).lowercased()] = Self.trimmed(value) }
        let lines = signedHeaders.split(separator: ";").compactMap { name in
            values[String(name)].map { "\(name):\($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" }
        let head = text.drop(while: isSpace)
        return String(head.reversed().drop(while: isSpace).reversed())
    }

    /// The signing key of one day, region and service.
    static func key(_ secret: String, _ scope: [String]) -> [UInt8] {
        scope.reduce(Array("AWS4\(secret)".utf8)) { HMAC.sha256(key: $0, $1.utf8) }
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
