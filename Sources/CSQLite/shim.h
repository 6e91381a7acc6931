/* What Swift cannot import from sqlite3.h by itself: variadic functions and macros that cast to a function pointer. */
#ifndef CSQLITE_SHIM_H
#define CSQLITE_SHIM_H

#include <sqlite3.h>

/* Sets one on/off option of a connection (SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_DQS_DML, ...). */
static inline int csqlite_db_config_flag(sqlite3 *db, int option, int on) { return sqlite3_db_config(db, option, on, (int *)0); }

/* Settings of the whole process, before the first connection: connections are confined to a thread each, and nobody reads
   SQLite's memory statistics, so that allocating needs no lock. Harmless (SQLITE_MISUSE) when SQLite is already running. */
static inline int csqlite_configure_process(void) {
  int result = sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
  return result == SQLITE_OK ? sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) : result;
}

/* Gives a connection `count` small blocks of `size` bytes that need no malloc. */
static inline int csqlite_db_config_lookaside(sqlite3 *db, int size, int count) {
  return sqlite3_db_config(db, SQLITE_DBCONFIG_LOOKASIDE, (void *)0, size, count);
}

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

/* Binds UTF-8 text that the caller keeps alive and unchanged until the statement is reset. */
static inline int csqlite_bind_text_borrowed(sqlite3_stmt *s, int i, const char *utf8, sqlite3_uint64 count) {
  return sqlite3_bind_text64(s, i, count ? utf8 : "", count, SQLITE_STATIC, SQLITE_UTF8);
}

#endif
