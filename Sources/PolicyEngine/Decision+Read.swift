internal import CEL
public import Core

extension Decision {
  /// A value that a matching rule reads.
  public struct ReadValue: Hashable, Sendable {
    /// The path as conditions name it: `run.amount`.
    public let path: String
    /// The value, or nil where the request has none.
    public let value: JSON?
  }

  /// The values that the conditions of the matched rules name, sorted by path, each once: what a proposal's digest covers of the state.
  ///
  /// It depends on the text of the conditions and on the values alone, not on which parts of a condition an evaluation reached. `now`
  /// is left out: a digest that covered the time would never be the same twice, and time is decided anew at execution anyway.
  ///
  /// - Complexity: O(n log n) for n values; nothing is computed before it is asked for.
  public var read: [ReadValue] {
    var paths: [String: ValuePath] = [:]
    for set in [rules, guardRules].compactMap(\.self) { set.compiled.addPaths(of: matched, to: &paths) }
    return paths.sorted { bytesLess($0.key, $1.key) }.map { ReadValue(path: $0.key, value: request.value(at: $0.value)) }
  }
}

extension CompiledRules {
  fileprivate func addPaths(of matches: [RuleMatch], to paths: inout [String: ValuePath]) {
    for match in matches where match.basis != .implied {
      guard let place = place(of: match.rule), let program = conditions[place]?.program else { continue }
      for reference in program.references {
        guard let path = slots[reference.slot].path, path.root != .now else { continue }
        paths[path.description] = path
      }
    }
  }
}
