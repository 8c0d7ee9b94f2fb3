// SPDX-License-Identifier: Apache-2.0
// An answer of rows: aligned columns for people, an array of objects for programs.

import JSON

struct Table {
    /// Also the names in JSON: "domain_id".
    let columns: [String]
    private(set) var rows: [[String]] = []

    init(_ columns: String...) { self.columns = columns }

    mutating func add(_ cells: String...) { rows.append(cells) }

    func print(asJSON: Bool, empty: String = "There are none.") {
        if asJSON { return Terminal.json(write) }
        Terminal.say(rows.isEmpty ? empty : text)
    }

    func write(_ w: inout JSONWriter) {
        w.array { w in
            for row in rows {
                w.object { w in
                    for (name, cell) in zip(columns, row) {
                        w.key(name)
                        w.string(cell)
                    }
                }
            }
        }
    }

    var text: String {
        let titles = columns.map { $0.split(separator: "_").joined(separator: " ").uppercased() }
        let widths = columns.indices.map { i in ([titles[i]] + rows.map { $0[i] }).map(\.count).max() ?? 0 }
        return ([titles] + rows).map { cells in
            var line = ""
            for (cell, width) in zip(cells, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
