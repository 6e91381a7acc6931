public import Core
public import Storage

/// A run's state in memory, without its type.
@usableFromInline
class RunSlot {
  @usableFromInline let id: ExactString
  @usableFromInline init(_ id: ExactString) { self.id = id }
}

/// A run's state in memory.
@usableFromInline
final class TypedRunSlot<Run: Sendable>: RunSlot {
  @usableFromInline var state: Run?
}

/// The shared state in memory, without its type.
@usableFromInline
class SharedSlot {
  @usableFromInline init() {}
}

/// The shared state in memory.
@usableFromInline
final class TypedSharedSlot<Shared: Sendable>: SharedSlot {
  @usableFromInline var state: Shared
  @usableFromInline init(_ state: Shared) { self.state = state }
}

/// A projection without the type of its ledger.
@usableFromInline
struct BoundProjection: Sendable {
  let name: String
  let version: Int
  let schema: String
  let sharedRows: @Sendable (Entry, SharedSlot) -> [TableRow]

  @usableFromInline
  init(
    name: String, version: Int, schema: String,
    sharedRows: @escaping @Sendable (Entry, SharedSlot) -> [TableRow]
  ) {
    self.name = name
    self.version = version
    self.schema = schema
    self.sharedRows = sharedRows
  }
}

/// A ``Ledger`` and its projections as closures over untyped slots.
///
/// Made in inlinable code, so that they are compiled for the ledger's types in the module that opens the store; the writer itself is then
/// ordinary code, not generic code that looks up types at run time for each entry.
@usableFromInline
struct LedgerFunctions: Sendable {
  let makeRun: @Sendable (ExactString) -> RunSlot
  let makeShared: @Sendable () -> SharedSlot
  /// Folds an entry into a run; returns whether the run has a state afterwards.
  let foldRun: @Sendable (Entry, RunSlot) throws -> Bool
  let foldShared: @Sendable (Entry, SharedSlot) throws -> Void
  /// What an entry that was folded into a run says about the shared state of its moment.
  let claim: @Sendable (Entry, RunSlot) -> (@Sendable (SharedSlot) -> String?)?
  /// Folds an entry, and finds what the state before it does not confirm.
  let checkShared: @Sendable (Entry, SharedSlot) throws -> String?
  let makeContext: @Sendable (WriterCore) -> AnyObject
  /// Brings the tables of all projections up to an entry.
  let project: @Sendable (Entry, RunSlot?, SharedSlot, Connection) throws -> Void
  let projections: [BoundProjection]
  /// Gives the rows of a run in those of ``projections`` that are named, with one look at its state.
  let runRows: @Sendable (RunSlot, [String], (TableRow) throws -> Void) throws -> Void

  @usableFromInline
  init(
    makeRun: @escaping @Sendable (ExactString) -> RunSlot, makeShared: @escaping @Sendable () -> SharedSlot,
    foldRun: @escaping @Sendable (Entry, RunSlot) throws -> Bool, foldShared: @escaping @Sendable (Entry, SharedSlot) throws -> Void,
    claim: @escaping @Sendable (Entry, RunSlot) -> (@Sendable (SharedSlot) -> String?)?,
    checkShared: @escaping @Sendable (Entry, SharedSlot) throws -> String?,
    makeContext: @escaping @Sendable (WriterCore) -> AnyObject,
    project: @escaping @Sendable (Entry, RunSlot?, SharedSlot, Connection) throws -> Void, projections: [BoundProjection],
    runRows: @escaping @Sendable (RunSlot, [String], (TableRow) throws -> Void) throws -> Void
  ) {
    self.makeRun = makeRun
    self.makeShared = makeShared
    self.foldRun = foldRun
    self.foldShared = foldShared
    self.claim = claim
    self.checkShared = checkShared
    self.makeContext = makeContext
    self.project = project
    self.projections = projections
    self.runRows = runRows
  }

  @inlinable
  static func of<Meaning: Ledger>(_ meaning: Meaning.Type, _ projections: [any Projection<Meaning>]) -> LedgerFunctions {
    LedgerFunctions(
      makeRun: { TypedRunSlot<Meaning.Run>($0) },
      makeShared: { TypedSharedSlot(Meaning.start()) },
      foldRun: { entry, slot in
        let slot = unsafeDowncast(slot, to: TypedRunSlot<Meaning.Run>.self)
        try Meaning.apply(entry, to: &slot.state)
        return slot.state != nil
      },
      foldShared: { entry, slot in
        try Meaning.apply(entry, to: &unsafeDowncast(slot, to: TypedSharedSlot<Meaning.Shared>.self).state)
      },
      claim: { entry, slot in
        guard let state = unsafeDowncast(slot, to: TypedRunSlot<Meaning.Run>.self).state, let claim = Meaning.claim(of: entry, in: state)
        else { return nil }
        return { shared in claim(unsafeDowncast(shared, to: TypedSharedSlot<Meaning.Shared>.self).state) }
      },
      checkShared: { entry, slot in
        let slot = unsafeDowncast(slot, to: TypedSharedSlot<Meaning.Shared>.self)
        let before = slot.state
        try Meaning.apply(entry, to: &slot.state)
        return Meaning.problem(with: entry, after: slot.state, before: before)
      },
      makeContext: { WriteContext<Meaning>(core: $0) },
      project: { entry, run, shared, tables in
        let run = run.flatMap { unsafeDowncast($0, to: TypedRunSlot<Meaning.Run>.self).state }
        let shared = unsafeDowncast(shared, to: TypedSharedSlot<Meaning.Shared>.self).state
        for projection in projections { try projection.apply(entry, run: run, shared: shared, to: tables) }
      },
      projections: projections.map { bind($0) },
      runRows: { run, names, add in
        guard let state = unsafeDowncast(run, to: TypedRunSlot<Meaning.Run>.self).state else { return }
        for projection in projections where names.contains(projection.name) { for row in projection.rows(of: state) { try add(row) } }
      })
  }

  @inlinable
  static func bind<P: Projection>(_ projection: P) -> BoundProjection {
    BoundProjection(
      name: projection.name, version: projection.version, schema: projection.schema,
      sharedRows: { entry, shared in
        projection.rows(about: entry, in: unsafeDowncast(shared, to: TypedSharedSlot<P.Meaning.Shared>.self).state)
      })
  }
}
