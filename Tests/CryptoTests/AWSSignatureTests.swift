// SPDX-License-Identifier: Apache-2.0
// Expected signatures: the published examples of AWS, and those that the signer of OpenStack's own client computes.
import Testing

@testable import Crypto

struct AWSSignatureTests {
    private let secret = "44d3f07f0ba24c45b3f5b5f0a5a1c9d7"
    private let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    private let credential = "AK/20260101/RegionOne/ec2/aws4_request"

    private func old(_ version: String, _ more: [String: String] = [:]) -> AWSRequest {
        let parameters = [
            "SignatureVersion": version, "Action": "DescribeInstances", "Timestamp": "2026-01-01T00:00:00Z",
            "AWSAccessKeyId": "k",
        ]
        return AWSRequest(
            verb: "POST", host: "cloud.example.org:8773", path: "/services/Cloud",
            parameters: parameters.merging(more) { $1 })
    }

    @Test func `versions 0, 1 and 2 sign as OpenStack's client does`() throws {
        let more = ["b": "ö &=", "Zed": "1"]
        #expect(try AWSSignature.expected(secret: secret, old("0")) == "IHiNK5imUNiOd7Tn2BWgH3FhnIY=")
        #expect(try AWSSignature.expected(secret: secret, old("1", more)) == "aoQ9X/TdjVG7Sg4Bnll2Hqd0usc=")
        let second = old("2", more.merging(["path~_.-*": "/x y"]) { $1 })
        #expect(try AWSSignature.expected(secret: secret, second) == "4E+bfjIiuckK5sWUMLYukTwwBY/5bL56H+x3BGLu0vs=")
    }

    private func version4(_ verb: String) -> AWSRequest {
        AWSRequest(
            verb: verb, host: "cloud.example.org:8773", path: "/services/Cloud",
            parameters: ["Action": "DescribeRegions", "Version": "2016-11-15", "k": "a b"],
            headers: [
                "Authorization":
                    "AWS4-HMAC-SHA256 Credential=\(credential),SignedHeaders=host;x-amz-date;x-none,Signature=00",
                "X-Amz-Date": "20260101T000000Z", "Host": " cloud.example.org:8773 ", "User-Agent": "x",
            ], bodyHash: empty)
    }

    @Test func `version 4 signs as OpenStack's client does`() throws {
        #expect(
            try AWSSignature.expected(secret: secret, version4("GET"))
                == "a4559b1cce1633fd99e80440cf1554b0719d0b5029b44dc2381a88a6590330b7")
        #expect(
            try AWSSignature.expected(secret: secret, version4("POST"))
                == "e3819ab6e7e490bda4b1e35842f5fdd11d2b347abff2a0dedcbba9b00584825e")
        let url = AWSRequest(
            verb: "GET", host: "c", path: "/",
            parameters: [
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": credential, "X-Amz-Date": "20260101T000000Z",
                "X-Amz-SignedHeaders": "host", "Action": "X",
            ], headers: ["host": "c"], bodyHash: empty)
        let signature = "0207c93792cfe4f4e1cac15c52b92d403c432ffe737148048c65e68c3076b1ff"
        #expect(try AWSSignature.expected(secret: secret, url) == signature)
        var signed = url
        signed.parameters["X-Amz-Signature"] = signature
        #expect(try AWSSignature.matches(signature, secret: secret, signed))
    }

    /// IAM ListUsers, of the documentation's example of a signed request.
    @Test func `version 4 gives the published example`() throws {
        let request = AWSRequest(
            verb: "GET", host: "iam.amazonaws.com", path: "/",
            parameters: ["Action": "ListUsers", "Version": "2010-05-08"],
            headers: [
                "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                    + "SignedHeaders=content-type;host;x-amz-date, Signature=00",
                "content-type": "application/x-www-form-urlencoded; charset=utf-8", "host": "iam.amazonaws.com",
                "x-amz-date": "20150830T123600Z",
            ], bodyHash: empty)
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        #expect(
            try AWSSignature.expected(secret: secret, request)
                == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
        #expect(request.timestamp == "2015-08-30T12:36:00Z")
    }

    @Test func `any change makes another signature`() throws {
        let good = try AWSSignature.expected(secret: secret, version4("GET"))
        #expect(try AWSSignature.matches(good, secret: secret, version4("GET")))
        #expect(try !AWSSignature.matches(good, secret: secret + "x", version4("GET")))
        var changed = version4("GET")
        changed.parameters["k"] = "a c"
        #expect(try !AWSSignature.matches(good, secret: secret, changed))
        changed = version4("GET")
        changed.path = "/"
        #expect(try !AWSSignature.matches(good, secret: secret, changed))
        #expect(try !AWSSignature.matches("", secret: secret, version4("GET")))
    }

    @Test func `a client that signs the host without its port is understood`() throws {
        var bare = old("2")
        bare.host = "cloud.example.org"
        let signature = try AWSSignature.expected(secret: secret, bare)
        #expect(try AWSSignature.matches(signature, secret: secret, old("2")))
    }

    @Test func `requests that cannot be signed say why`() {
        #expect(throws: AWSSignatureError.unknownVersion("3")) { try AWSSignature.expected(secret: secret, old("3")) }
        var request = old("0")
        request.parameters["SignatureVersion"] = nil
        #expect(throws: AWSSignatureError.unrecognized) { try AWSSignature.expected(secret: secret, request) }
        request = old("0")
        request.parameters["Action"] = nil
        #expect(throws: AWSSignatureError.missing("Action")) { try AWSSignature.expected(secret: secret, request) }
        var fourth = version4("GET")
        fourth.headers["X-Amz-Date"] = "20260102T000000Z"
        #expect(throws: AWSSignatureError.dateMismatch) { try AWSSignature.expected(secret: secret, fourth) }
        fourth.headers["X-Amz-Date"] = nil
        #expect(throws: AWSSignatureError.missing("X-Amz-Date")) { try AWSSignature.expected(secret: secret, fourth) }
        for authorization in ["", " Credential=", " Credential=/", " Credential=a/b/c/d/e", " Credential=a/b/c/d"] {
            fourth = version4("GET")
            fourth.headers["Authorization"] = "AWS4-HMAC-SHA256" + authorization
            #expect(throws: AWSSignatureError.self) { try AWSSignature.expected(secret: secret, fourth) }
        }
    }

    @Test func `S3 text is signed by SHA-1 or by version 4`() {
        let token = "R0VUCgoKVGh1LCAwMSBKYW4gMjAyNiAwMDowMDowMCArMDAwMAovYnVja2V0L8O2"
        #expect(AWSSignature.s3(secret: secret, token: token) == "bPAnUFPJOMLxcFY8LDIaWlgwlpE=")
        let fourth =
            "QVdTNC1ITUFDLVNIQTI1NgoyMDI2MDEwMVQwMDAwMDBaCjIwMjYwMTAxL1JlZ2lvbk9uZS9zMy9hd3M0X3JlcXVlc3QKMmQ3MTE2NDJiNzI2Yj"
            + "A0NDAxNjI3Y2E5ZmJhYzMyZjVjODUzMGZiMTkwM2NjNGRiMDIyNTg3MTc5MjFhNDg4MQ=="
        let signature = "76c9ac7d3bcb034b5b5a23391e408cbb6be62980fde313d125b40bc58f599dad"
        #expect(AWSSignature.s3(secret: secret, token: fourth) == signature)
        #expect(AWSSignature.matchesS3(signature, secret: secret, token: fourth))
        #expect(!AWSSignature.matchesS3(signature, secret: "x", token: fourth))
    }

    @Test func `S3 text of another service or without form is refused`() {
        let other =
            "QVdTNC1ITUFDLVNIQTI1NgoyMDI2MDEwMVQwMDAwMDBaCjIwMjYwMTAxL1JlZ2lvbk9uZS9pYW0vYXdzNF9yZXF1ZXN0CjJkNzExNjQyYjcyNm"
            + "IwNDQwMTYyN2NhOWZiYWMzMmY1Yzg1MzBmYjE5MDNjYzRkYjAyMjU4NzE3OTIxYTQ4ODE="
        #expect(AWSSignature.s3(secret: secret, token: other) == nil)
        #expect(AWSSignature.s3(secret: secret, token: "!") == nil)
        #expect(AWSSignature.s3(secret: secret, token: Base64.encode("AWS4".utf8)) == nil)
        #expect(AWSSignature.s3(secret: secret, token: Base64.encode("AWS4-HMAC-SHA256\na\nb\nc".utf8)) == nil)
    }
}
