/// How much an expression may ask for.
///
/// Each limit has a name, and the error that reports it states the number.
public struct CELLimits: Hashable, Sendable {
  /// The longest source, in UTF-8 bytes.
  public var sourceBytes: Int
  /// The deepest nesting of parentheses, operators, calls and selections.
  public var depth: Int
  /// The steps that one evaluation may take.
  ///
  /// An expression costs about one step for each of its operations, a comprehension that for each element, and functions over texts
  /// and lists one more for every 16 bytes or for every element that they touch or make.
  public var steps: Int

  /// 100 kB of source, 250 levels, a million steps (some ten milliseconds).
  public init(sourceBytes: Int = 100_000, depth: Int = 250, steps: Int = 1_000_000) {
    self.sourceBytes = sourceBytes
    self.depth = depth
    self.steps = steps
  }
}
