// SPDX-License-Identifier: Apache-2.0
// Routes whose rule depends on what they find: a role of a domain is shown by another rule than a global one, a list
// filtered by its trustor by another than the whole list. Such a route names the rule it asks most often, and its
// handler does the asking.

import Core
import HTTP

extension Route {
    /// `handler` must call `call.require` before it gives anything away.
    init(_ method: HTTPMethod, _ pattern: String, asking rule: String, _ handler: @escaping Handler) {
        self.init(method, pattern, open: .rule(rule), handler)
    }
}
