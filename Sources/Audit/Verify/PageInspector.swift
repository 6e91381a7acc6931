import Core
import Storage

/// Lets SQLite compare its pages, and its indices with their tables, while others read: it is the longest of what one thread has to do.
actor PageInspector {
  private let executor = BlockingExecutor(label: "verify-pages")
  private let path: String

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(path: String) { self.path = path }

  /// What does not fit; nothing where the file is sound.
  func inspect() throws -> [VerificationProblem] {
    do {
      let connection = try Connection(path: path, mode: .readOnly)
      defer { connection.close() }
      // Rows are looked up in indices here and there in the file: pages are kept, at most 16 MB of them.
      try connection.execute("PRAGMA cache_size=-16384")
      return try connection.query("PRAGMA integrity_check(10)", [], { $0.text(0) }).filter { $0 != "ok" }.map { line in
        VerificationProblem(
          kind: .file, entry: nil, message: "the database file is damaged: \(visible(line))", expected: nil, found: nil)
      }
    } catch let error as StorageError where error.isDamage {
      return [.unreadable(error)]
    }
  }
}

extension VerificationProblem {
  /// A part of the file that cannot be read.
  static func unreadable(_ error: StorageError) -> VerificationProblem {
    VerificationProblem(kind: .file, entry: nil, message: "cannot be read: \(error.message)", expected: nil, found: nil)
  }
}
