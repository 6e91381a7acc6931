internal import CEL
public import Core

/// Which records belong to a call, so that rules can see them as `facts` when recorded calls are replayed: `facts.json5`.
///
/// It describes a domain as data. An entity is a kind of record, with the place where a system of record keeps it and the tools whose
/// answers are such records. A fact is one record, or several by key, that a call is about.
public struct FactDescription: Sendable {
  /// A kind of record.
  struct Entity: Sendable {
    let name: String
    /// File beside the recording, and the members that lead to the object of records by key.
    let store: (file: String, path: [String])?
    let sources: [Source]
    let changes: [Change]
  }

  /// Tools that answer with a record of the entity.
  struct Source: Sendable {
    let tools: [String]
    /// From `args` and `output` to the record's key.
    let key: CELProgram
  }

  /// What a call that ran does to a record that it does not answer with.
  struct Change: Sendable {
    enum Action: Sendable {
      /// Takes these members, or list elements, away.
      case remove
      /// Adds these elements to a list.
      case append
    }

    let tools: [String]
    /// From `args` and `output` to the record's key.
    let key: CELProgram
    /// The members that lead to the object or list that changes.
    let path: [String]
    let action: Action
    /// From `args`, `output` and `record` (as it is) to the texts to take away or to add.
    let values: CELProgram
  }

  /// Something that rules can read.
  struct Fact: Sendable {
    let name: String
    let entity: Int
    /// From `args` and the facts above it to a key, or to keys where ``isMany``.
    let key: CELProgram
    let isMany: Bool
    /// The tools whose calls have it; nil for all.
    let tools: [String]?
  }

  /// Name of the catalogue of tools beside the recording.
  public let catalogue: String
  /// Name of the file of tasks beside the recording, whose calls are the ground truth; nil for none.
  public let tasks: String?
  let entities: [Entity]
  let facts: [Fact]
  let references: CELReferenceTable

  /// Checks a description and compiles its expressions.
  ///
  /// - Throws: Every problem that was found, each with its place.
  public static func load(_ file: PositionedJSON) throws(Diagnostics) -> FactDescription {
    var loader = FactLoader()
    let description = loader.load(file)
    guard loader.problems.isEmpty, let description else { throw Diagnostics(loader.problems) }
    return description
  }

  /// Reads the text of a description.
  ///
  /// - Throws: Every problem that was found, each with its place.
  public static func load(_ bytes: [UInt8], file: String?) throws(Diagnostics) -> FactDescription {
    let parsed: PositionedJSON
    do throws(JSONError) {
      parsed = try PositionedJSON.parseJSON5(bytes, file: file)
    } catch {
      throw Diagnostics([error.diagnostic])
    }
    return try load(parsed)
  }
}
