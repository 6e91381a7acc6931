import CSQLite

extension Connection {
  /// Overwrites part of a blob in place, so that a large value never lies in memory as a whole.
  ///
  /// - Parameters:
  ///   - table: The table.
  ///   - column: The blob's column; it was bound with ``Statement/bindZeroes(_:count:)``.
  ///   - row: The row id.
  ///   - offset: Where to begin, in bytes.
  ///   - bytes: What to write; must end within the blob.
  /// - Throws: ``StorageError``.
  public func write(
    intoBlobOf table: String, column: String, row: Int64, at offset: Int, _ bytes: UnsafeRawBufferPointer
  ) throws(StorageError) {
    try withBlob(table, column, row, writable: true) { blob throws(StorageError) in
      let result = sqlite3_blob_write(blob, bytes.baseAddress, Int32(bytes.count), Int32(offset))
      guard result == SQLITE_OK else { throw error(result, doing: "write into \(table).\(column)") }
    }
  }

  /// Reads a blob piece by piece.
  ///
  /// - Parameters:
  ///   - table: The table.
  ///   - column: The blob's column.
  ///   - row: The row id.
  ///   - chunk: The size of a piece, in bytes.
  ///   - body: Receives each piece in order; the buffer is valid only inside the call.
  /// - Throws: ``StorageError``.
  public func readBlob(
    of table: String, column: String, row: Int64, chunk: Int = 1 << 18, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(StorageError) {
    try withBlob(table, column, row, writable: false) { blob throws(StorageError) in
      let total = Int(sqlite3_blob_bytes(blob))
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, min(chunk, total)), alignment: 16)
      defer { buffer.deallocate() }
      var offset = 0
      while offset < total {
        let count = min(buffer.count, total - offset)
        let result = sqlite3_blob_read(blob, buffer.baseAddress, Int32(count), Int32(offset))
        guard result == SQLITE_OK else { throw error(result, doing: "read \(table).\(column)") }
        body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        offset += count
      }
    }
  }

  /// The row id of the last row that this connection inserted.
  public var lastInsertedRow: Int64 { handle.map { sqlite3_last_insert_rowid($0) } ?? 0 }

  private func withBlob(
    _ table: String, _ column: String, _ row: Int64, writable: Bool, _ body: (OpaquePointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    guard let handle else { throw Self.closed(path) }
    var blob: OpaquePointer?
    let result = sqlite3_blob_open(handle, "main", table, column, row, writable ? 1 : 0, &blob)
    guard result == SQLITE_OK, let blob else {
      sqlite3_blob_close(blob)
      throw error(result, doing: "open \(table).\(column)")
    }
    defer { sqlite3_blob_close(blob) }
    try body(blob)
  }
}
