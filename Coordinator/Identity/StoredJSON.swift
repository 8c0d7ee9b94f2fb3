// SPDX-License-Identifier: Apache-2.0
// JSON kept in a text column: options, fields the API keeps for clients, policy targets. What we wrote we can read; a
// row that someone broke by hand reads as empty rather than failing every request that meets it.

import Core
import JSON

package enum StoredJSON {
    package static func text(_ object: JSON.Object) -> String { object.isEmpty ? "{}" : JSON.object(object).text }

    package static func object(_ text: String) -> JSON.Object {
        if text == "{}" { return [:] }
        guard let value = try? JSON.parse(text), let object = value.object else { return [:] }
        return object
    }
}
