/* What Swift cannot import from sqlite3.h by itself: variadic functions and macros that cast to a function pointer. */
#ifndef CSQLITE_SHIM_H
#define CSQLITE_SHIM_H

#include <sqlite3.h>

/* Sets one on/off option of a connection (SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_DQS_DML, ...). */
static inline int csqlite_db_config_flag(sqlite3 *db, int option, int on) { return sqlite3_db_config(db, option, on, (int *)0); }

/* Binds bytes that SQLite copies before this returns. */
static inline int csqlite_bind_blob_copy(sqlite3_stmt *s, int i, const void *bytes, sqlite3_uint64 count) {
  return sqlite3_bind_blob64(s, i, count ? bytes : "", count, SQLITE_TRANSIENT);
}

/* Binds UTF-8 text that SQLite copies before this returns. */
static inline int csqlite_bind_text_copy(sqlite3_stmt *s, int i, const char *utf8, sqlite3_uint64 count) {
  return sqlite3_bind_text64(s, i, count ? utf8 : "", count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* Binds bytes that the caller keeps alive and unchanged until the statement is reset. */
static inline int csqlite_bind_blob_borrowed(sqlite3_stmt *s, int i, const void *bytes, sqlite3_uint64 count) {
  return sqlite3_bind_blob64(s, i, count ? bytes : "", count, SQLITE_STATIC);
}

#endif
