/// A trace laid beside the way through a model that explains it at the least cost.
public struct Alignment: Hashable, Sendable {
  /// One move of the trace, of the model, or of both.
  public enum Move: Hashable, Sendable {
    /// The trace shows the activity where the model allows it; costs 0.
    case both(String)
    /// The trace shows the activity where the model does not; costs 1.
    case log(String)
    /// The model demands the activity and the trace does not show it; costs 1.
    case model(String)
  }

  /// The moves in order, without the silent ones.
  public let moves: [Move]
  /// How many moves are of one side alone.
  public let cost: Int
  /// ``cost`` subtracted, as a share, from 1: 1 for a trace that fits, 0 for one that shares nothing with the model.
  ///
  /// The share is of the cost at worst, the length of the trace and of the shortest way through the model; 1 where both are empty.
  public let fitness: Double
}

/// What became of the search for an alignment.
public enum AlignmentOutcome: Hashable, Sendable {
  /// The best there is.
  case optimal(Alignment)
  /// The search met its limit; no alignment costs less than `lowerBound`.
  case gaveUp(lowerBound: Int)

  /// The alignment where one was found.
  public var alignment: Alignment? { if case .optimal(let alignment) = self { alignment } else { nil } }
}
