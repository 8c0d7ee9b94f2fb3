// SPDX-License-Identifier: Apache-2.0
// SQLite's result codes as the kinds of DatabaseError.

import CSQLite
import Glibc

extension SQLiteConnection {
    /// What the last call on this connection failed with.
    var lastError: DatabaseError {
        let code = sqlite3_extended_errcode(handle)
        let text = String(cString: sqlite3_errmsg(handle))
        return DatabaseError(Self.kind(code, systemError: sqlite3_system_errno(handle)), "\(text) (SQLite \(code))")
    }

    private static func kind(_ code: Int32, systemError: Int32) -> DatabaseError.Kind {
        switch code {
        case sqlite_constraint_unique, sqlite_constraint_primary_key: return .unique
        case sqlite_constraint_foreign_key: return .foreignKey
        default: break
        }
        switch code & 0xff {
        case SQLITE_FULL: return .full
        case SQLITE_IOERR, SQLITE_CANTOPEN:
            return systemError == ENOSPC || systemError == EDQUOT ? .full : .unavailable
        // Another process holds the lock, or the statement ran past its deadline.
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_INTERRUPT, SQLITE_NOMEM: return .unavailable
        default: return .other
        }
    }
}
