extension Lifecycle {
  /// What a transition of the standard lifecycle model of XES means; nil for a word that it does not have.
  ///
  /// Letter case does not matter, since logs write `COMPLETE` too.
  /// - SeeAlso: IEEE 1849-2023, lifecycle extension.
  init?(xes word: UnsafeBufferPointer<UInt8>) {
    switch String(decoding: word, as: UTF8.self).lowercased() {
    case "complete": self = .completed
    case "start", "resume": self = .begun
    case "schedule", "assign", "reassign", "suspend": self = .ready
    case "withdraw", "pi_abort", "ate_abort", "autoskip", "manualskip": self = .withdrawn
    default: return nil
    }
  }

  /// The transition of the standard lifecycle model of XES that says this.
  var xes: String {
    switch self {
    case .completed: "complete"
    case .ready: "schedule"
    case .begun: "start"
    case .withdrawn: "withdraw"
    }
  }
}
