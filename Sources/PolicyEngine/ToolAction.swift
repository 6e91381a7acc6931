/// What a tool does to the world, as its declaration says; finer than its ``EffectClass``, so that rules need not name tools.
public enum ToolAction: String, Hashable, Sendable, CaseIterable {
  /// Looks something up.
  case read
  /// Changes a record.
  case write
  /// Sends something to somebody.
  case send
  /// Gives somebody access.
  case share
  /// Removes something.
  case delete
  /// Moves money.
  case pay
  /// Reserves something.
  case reserve
  /// Changes a secret, or who can sign in.
  case credential
  /// Changes who belongs to a group.
  case membership
  /// Asks an address outside for something, which by itself tells that address what was asked.
  case egress
}
