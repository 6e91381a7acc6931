internal import Core
internal import ProcessModel

/// The endorsements that count in one run now.
struct RunEndorsements {
  private var sources: [ExactString: Endorser] = [:]
  private(set) var values: [(value: String, names: [String], by: Endorser)] = []

  /// Those of a view; the oldest one of a source names it.
  init(_ view: GateView) {
    guard let run = view.run?.state, let process = view.release?.process.id else { return }
    for endorsement in view.shared.endorsements where endorsement.counts(in: run.id, of: process, at: view.now) {
      let by = Endorser(entry: endorsement.entry, by: endorsement.by)
      switch endorsement.subject {
      case .source(let source): if sources[ExactString(source)] == nil { sources[ExactString(source)] = by }
      case .value(let value, let names): values.append((value, names, by))
      }
    }
  }

  /// Who endorsed a source.
  func source(_ label: String) -> Endorser? { sources.isEmpty ? nil : sources[ExactString(label)] }

  /// Who endorsed a value as what it stands as.
  func value(_ value: JSON?, as name: String) -> Endorser? {
    guard !values.isEmpty, let text = value?.stringValue ?? value?.numberValue?.text else { return nil }
    return values.first { bytesEqual($0.value, text) && $0.names.contains { bytesEqual($0, name) } }?.by
  }
}
