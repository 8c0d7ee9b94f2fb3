// SPDX-License-Identifier: Apache-2.0
// "Did you mean …?": the nearest of a few known words, by edit distance.

package enum Words {
    private static let longest = 200

    /// The nearest candidate, unless even that differs in more than a third of its letters.
    package static func nearest(to word: String, in candidates: [String]) -> String? {
        // A distance is only counted over the beginning of long words.
        guard word.utf8.count <= longest else { return nil }
        let best = candidates.map { ($0, distance(word, $0)) }.min { $0.1 < $1.1 }
        guard let best, best.1 <= max(1, word.count / 3) else { return nil }
        return best.0
    }

    package static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8.prefix(longest)), b = Array(b.utf8.prefix(longest))
        var row = Array(0...b.count)
        for i in 0..<a.count {
            var diagonal = row[0]
            row[0] = i + 1
            for j in 0..<b.count {
                let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
