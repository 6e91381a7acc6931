/// A process model as a tree of blocks, each of which is sound by construction: what the inductive miner discovers, what a
/// released process is compared as, and what alignments and replay run over.
///
/// - SeeAlso: S. Leemans, D. Fahland, W. van der Aalst, "Discovering block-structured process models from event logs: a constructive
///   approach", Petri Nets 2013, doi:10.1007/978-3-642-38697-8_17 (section 2, process trees).
public indirect enum ProcessTree: Hashable, Sendable {
  /// Nothing that a log would show.
  case silent
  /// One activity, by its name in the log.
  case activity(String)
  /// All children, one after the other; no children are ``silent``.
  case sequence([ProcessTree])
  /// Exactly one of the children.
  case choice([ProcessTree])
  /// All children, interleaved in any way.
  case parallel([ProcessTree])
  /// The body once, then any number of times one of `redo` and the body again.
  case loop(body: ProcessTree, redo: [ProcessTree])
}

extension ProcessTree: CustomStringConvertible {
  /// The tree in the notation of the literature: `→(a, ×(b, τ), ∧(c, d), ↺(e, f))`, activities in quotes.
  public var description: String {
    func list(_ sign: String, _ children: [ProcessTree]) -> String {
      "\(sign)(\(children.map(\.description).joined(separator: ", ")))"
    }
    return switch self {
    case .silent: "τ"
    case .activity(let name): "'\(name)'"
    case .sequence(let children): list("→", children)
    case .choice(let children): list("×", children)
    case .parallel(let children): list("∧", children)
    case .loop(let body, let redo): list("↺", [body] + redo)
    }
  }
}
