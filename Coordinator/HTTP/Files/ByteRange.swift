// SPDX-License-Identifier: Apache-2.0
// "Range: bytes=…" (RFC 9110, 14): one range of a thing of known size. Several ranges, other units and what cannot be
// read are ignored, as the rules allow; a range that begins past the end is not.

import Core

package enum ByteRange: Equatable {
    case whole
    case part(Range<Int>)
    case unsatisfiable

    package init(_ field: String?, size: Int) {
        self = .whole
        guard let field, field.lowercased().hasPrefix("bytes=") else { return }
        let ends = field.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return }
        let first = Self.number(ends[0]), last = Self.number(ends[1])
        switch (ends[0].isEmpty, ends[1].isEmpty) {
        case (true, true): return
        case (true, false):
            guard let count = last else { return }
            self = count == 0 || size == 0 ? .unsatisfiable : .part(max(0, size - count)..<size)
        case (false, true):
            guard let first else { return }
            self = first >= size ? .unsatisfiable : .part(first..<size)
        case (false, false):
            guard let first, let last, first <= last else { return }
            self = first >= size ? .unsatisfiable : .part(first..<(last >= size ? size : last + 1))
        }
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int(text)
    }
}

extension Response {
    /// A file or the part of it that was asked for. The descriptor is the answer's from here on: it is closed when
    /// sent.
    ///
    /// `tag` is the entity tag with its quotes; `changed` the time of the last change. Either lets If-Range and the
    /// If-None-Match and If-Modified-Since of caches work.
    package static func file(
        _ descriptor: Int32, size: Int, for head: RequestHead, type: String, tag: String? = nil, changed: Instant? = nil
    ) -> Response {
        var headers: [(name: String, value: String)] = [("Content-Type", type), ("Accept-Ranges", "bytes")]
        let date = changed.map(HTTPDate.text)
        if let tag { headers.append(("ETag", tag)) }
        if let date { headers.append(("Last-Modified", date)) }
        if isKnown(head, tag, date) {
            return Response(
                .notModified, headers: headers, body: .file(FileSlice(descriptor: descriptor, offset: 0, count: 0)))
        }
        let condition = head.value("if-range")
        // A date says less than a tag, yet both must be exactly ours.
        let isCurrent = condition.map { $0 == tag || $0 == date } ?? true
        switch isCurrent ? ByteRange(head.value("range"), size: size) : .whole {
        case .whole:
            return Response(
                .ok, headers: headers, body: .file(FileSlice(descriptor: descriptor, offset: 0, count: size)))
        case .part(let range):
            headers.append(("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"))
            let slice = FileSlice(descriptor: descriptor, offset: range.lowerBound, count: range.count)
            return Response(.partialContent, headers: headers, body: .file(slice))
        case .unsatisfiable:
            return Response(
                .rangeNotSatisfiable, headers: [("Content-Range", "bytes */\(size)")],
                body: .file(FileSlice(descriptor: descriptor, offset: 0, count: 0)))
        }
    }

    private static func isKnown(_ head: RequestHead, _ tag: String?, _ date: String?) -> Bool {
        guard head.method == .get || head.method == .head else { return false }
        if let known = head.value("if-none-match") {
            guard let tag else { return false }
            let tags = known.split(separator: ",").map { $0.drop { $0 == " " } }
            return tags.contains { $0 == "*" || $0 == tag || $0 == "W/\(tag)" }
        }
        return date != nil && head.value("if-modified-since") == date
    }
}
