/// Follows the shared state through the log, and asks it what entries of runs say about it.
///
/// Runs are folded by several threads, which do not know the shared state of each moment; what depends on it is looked at here, a chunk at a
/// time, so that nothing but the state is kept.
final class ClaimChecker {
  private let functions: LedgerFunctions
  private let shared: SharedSlot
  /// Whether the shared state is known no more, as an entry did not fit: its checker says which.
  private var isLost = false

  init(_ functions: LedgerFunctions) {
    self.functions = functions
    shared = functions.makeShared()
  }

  /// What the entries of the next chunk say that the shared state does not confirm.
  ///
  /// - Complexity: O(n log n) for n claims and entries without a run.
  func problems(in checked: [CheckedEntries]) -> [VerificationProblem] {
    var problems: [VerificationProblem] = []
    func add(_ message: String?, _ entry: Int) {
      guard let message else { return }
      problems.append(VerificationProblem(kind: .state, entry: entry, message: message, expected: nil, found: nil))
    }
    var changes = checked.flatMap(\.shared).sorted { $0.index < $1.index }[...]
    func follow(before index: Int) {
      while !isLost, let change = changes.first, change.index < index {
        changes.removeFirst()
        do { add(try functions.checkShared(change, shared), change.index) } catch { isLost = true }
      }
    }
    for claim in checked.flatMap(\.claims).sorted(by: { $0.entry < $1.entry }) {
      follow(before: claim.entry)
      if !isLost { add(claim.problem(shared), claim.entry) }
    }
    follow(before: .max)
    return problems
  }
}
