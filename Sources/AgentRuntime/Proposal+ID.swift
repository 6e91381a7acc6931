internal import Core
internal import Governance

extension Proposal {
  /// An id that follows from what the proposal is for.
  ///
  /// Whoever comes to the same point of a run, in this process or another one, at the same time or after a crash, makes the same id, and
  /// the gate takes a proposal of one id once.
  static func id(of parts: String...) -> String { "p-" + String(SHA256.hash(parts.joined(separator: "\n")).hex.prefix(16)) }
}
