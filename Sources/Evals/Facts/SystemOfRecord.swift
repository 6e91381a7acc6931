public import Core

/// The records that a system kept when a recording began, by entity and key.
///
/// Read once, shared by all runs.
public struct SystemOfRecord: Sendable {
  /// The largest file that is read, in bytes.
  public static let maximumBytes = 1 << 30

  /// Records by key, one table for each entity of the description.
  let tables: [[ExactString: JSON]]

  /// Reads the stores of a description.
  ///
  /// - Parameters:
  ///   - description: Names the files and what in them to use.
  ///   - folder: Where the files lie: the folder of the recording.
  /// - Throws: ``Core/Diagnostic`` for a file that is missing, no JSON, or has no object where the description says.
  public init(_ description: FactDescription, folder: String) throws(Diagnostic) {
    var files: [ExactString: JSON] = [:]
    var tables: [[ExactString: JSON]] = []
    for entity in description.entities {
      guard let store = entity.store else {
        tables.append([:])
        continue
      }
      let path = "\(folder)/\(store.file)"
      if files[ExactString(store.file)] == nil { files[ExactString(store.file)] = try Self.read(path) }
      var value = files[ExactString(store.file)] ?? .null
      for member in store.path {
        guard let next = value[member] else {
          throw Diagnostic("bad-store", at: nil, "`\(visible(path))` has no `\(visible(store.path.joined(separator: ".")))`")
        }
        value = next
      }
      guard let records = value.objectValue else {
        throw Diagnostic("bad-store", at: nil, "`\(visible(path))`: the records of `\(entity.name)` are no object by key")
      }
      var table: [ExactString: JSON] = [:]
      table.reserveCapacity(records.count)
      for (key, record) in records { table[ExactString(key)] = record }
      tables.append(table)
    }
    self.tables = tables
  }

  private static func read(_ path: String) throws(Diagnostic) -> JSON {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try RegularFile.read(path, maximumBytes: maximumBytes)
    } catch {
      throw Diagnostic(error)
    }
    do throws(JSONError) {
      return try JSON.parse(bytes, file: path)
    } catch {
      throw error.diagnostic
    }
  }
}
