/* SQLite; SQLITE_TRANSIENT and the extended codes are macro expressions that Swift cannot import. */
#pragma once
#include <sqlite3.h>

static inline int sqlite_bind_text_copy(sqlite3_stmt *s, int i, const char *p, int n) {
    return sqlite3_bind_text(s, i, p, n, SQLITE_TRANSIENT);
}
static inline int sqlite_bind_blob_copy(sqlite3_stmt *s, int i, const void *p, int n) {
    return sqlite3_bind_blob(s, i, p, n, SQLITE_TRANSIENT);
}
static const int sqlite_constraint_unique = SQLITE_CONSTRAINT_UNIQUE;
static const int sqlite_constraint_primary_key = SQLITE_CONSTRAINT_PRIMARYKEY;
static const int sqlite_constraint_foreign_key = SQLITE_CONSTRAINT_FOREIGNKEY;
