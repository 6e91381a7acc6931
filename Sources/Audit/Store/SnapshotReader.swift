import Core
import Storage

/// A connection for reading with a thread of its own.
actor SnapshotReader<Meaning: Ledger> {
  private let executor: BlockingExecutor
  private let path: String
  private var reader: EntryReader?
  private let memory = ReaderMemory<Meaning>()

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(path: String, label: String) {
    executor = BlockingExecutor(label: label)
    self.path = path
  }

  /// Runs `body` over one snapshot.
  func read<R: Sendable>(_ body: @Sendable (ReadContext<Meaning>) throws -> R) throws -> R {
    let reader = try open()
    return try reader.connection.transaction(.deferred) { try body(ReadContext(reader: reader, memory: memory)) }
  }

  private func open() throws -> EntryReader {
    if let reader { return reader }
    let connection = try Connection(path: path, mode: .readOnly)
    try connection.migrate(LogSchema.migrations, application: LogSchema.application)
    let fresh = EntryReader(connection)
    reader = fresh
    return fresh
  }

  func close() {
    reader?.connection.close()
    reader = nil
  }
}
