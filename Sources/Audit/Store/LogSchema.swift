public import Core
import Storage

/// The tables of a store file and the steps that led to them.
enum LogSchema {
  /// `REMT`, what tells a store from other SQLite databases.
  static let application: Int32 = 0x5245_4d54

  static let migrations = [
    // v1: the log, its confidential content, its evidence, the head of its Merkle tree, and which projections are kept.
    // The triggers keep honest programs honest (the store's own connections also have them fire for `INSERT OR REPLACE`); against the
    // owner of the file only a checkpoint kept elsewhere helps. A trigger before each insert would double its cost.
    Migration(
      1,
      """
      CREATE TABLE entry (
        "index"  INTEGER PRIMARY KEY,                       -- from 0 without gaps; also the index of the Merkle leaf
        time     INTEGER NOT NULL,                          -- Unix time, milliseconds, UTC; never falls
        type     TEXT    NOT NULL,
        run      TEXT,                                      -- NULL: concerns all runs
        envelope BLOB    NOT NULL,                          -- canonical JSON, UTF-8
        leaf     BLOB    NOT NULL                           -- SHA-256(0x00 || envelope)
      ) STRICT;
      CREATE INDEX entry_run ON entry (run);                -- with the row id behind it: (run, index)
      CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
      CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

      CREATE TABLE content (
        id    INTEGER PRIMARY KEY,                          -- entry * 256 + place of the part among the sorted parts
        entry INTEGER GENERATED ALWAYS AS (id >> 8) VIRTUAL,
        part  TEXT NOT NULL,
        salt  BLOB,                                         -- 16 random bytes
        bytes BLOB                                          -- the envelope has SHA-256(salt || bytes)
      ) STRICT;
      CREATE TRIGGER content_no_update BEFORE UPDATE ON content BEGIN SELECT RAISE(ABORT, 'content is append-only'); END;
      CREATE TRIGGER content_no_delete BEFORE DELETE ON content BEGIN SELECT RAISE(ABORT, 'content is append-only'); END;

      CREATE TABLE evidence (
        sha256 BLOB    NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
        media  TEXT    NOT NULL,
        size   INTEGER NOT NULL CHECK (size >= 0),
        bytes  BLOB    NOT NULL
      ) STRICT;
      CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END;
      CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END;

      CREATE TABLE head (
        id       INTEGER PRIMARY KEY CHECK (id = 0),
        size     INTEGER NOT NULL,                          -- number of entries
        root     BLOB    NOT NULL,                          -- RFC 6962 root over all leaves
        frontier BLOB    NOT NULL                           -- roots of the complete subtrees, largest first
      ) STRICT;
      INSERT INTO head VALUES (0, 0, X'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', X'');

      CREATE TABLE projection (
        name    TEXT    PRIMARY KEY,
        version INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      """),
    // v2: nodes of the Merkle tree, so that a proof does not read all leaves.
    Migration(
      2,
      """
      CREATE TABLE tile (
        level  INTEGER NOT NULL,                            -- 1: over 256 leaves, 2: over 256 tiles of level 1, and so on
        number INTEGER NOT NULL,                            -- from 0 without gaps
        root   BLOB    NOT NULL CHECK (length(root) = 32),
        PRIMARY KEY (level, number)
      ) STRICT, WITHOUT ROWID;
      CREATE TRIGGER tile_no_update BEFORE UPDATE ON tile BEGIN SELECT RAISE(ABORT, 'tiles are append-only'); END;
      CREATE TRIGGER tile_no_delete BEFORE DELETE ON tile BEGIN SELECT RAISE(ABORT, 'tiles are append-only'); END;
      """),
  ]

  /// The row id of a content part.
  static func contentID(entry: Int, place: Int) -> Int64 { Int64(entry) << 8 | Int64(place) }
}

/// The stored head of the log: how many entries it has, and the root over them.
public struct LogHead: Hashable, Sendable {
  /// The number of entries.
  public let size: Int
  /// The RFC 6962 root over their leaves.
  public let root: Digest
}
