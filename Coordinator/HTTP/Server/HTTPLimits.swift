// SPDX-License-Identifier: Apache-2.0
// The server's bounds, from Core/Limits; tests shorten them.

import Core

package struct HTTPLimits: Sendable {
    package var headBytes = Limits.requestHeadBytes
    package var headMilliseconds = Limits.headSeconds * 1000
    package var stallMilliseconds = Limits.stallSeconds * 1000
    package var idleMilliseconds = Limits.idleSeconds * 1000
    package var lingerMilliseconds = Limits.lingerSeconds * 1000
    package var connections = Limits.connections
    package var webSocketMessageBytes = Limits.webSocketMessageBytes
    package init() {}
}
