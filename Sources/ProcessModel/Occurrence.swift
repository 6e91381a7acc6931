/// One time that a step or a block happens in a run: its id, and which pass of the innermost repeat or handler around it.
///
/// Outside any repeat or handler the iteration is 1. Passes of one repeat are counted over the whole run, so the same occurrence never
/// comes twice, also where repeats are nested.
public struct Occurrence: Hashable, Sendable, CustomStringConvertible {
  /// The id of the step or block.
  public let id: String
  /// The pass, 1-based.
  public let iteration: Int

  /// Names the occurrence of `id` in pass `iteration`.
  public init(_ id: String, _ iteration: Int = 1) {
    self.id = id
    self.iteration = iteration
  }

  /// Reads what ``description`` writes: `collect` or `review#2`.
  ///
  /// - Returns: `nil` for an empty id, and where the part after `#` is not a whole number from 1 without a leading zero.
  public init?(parsing text: String) {
    guard let hash = text.utf8.lastIndex(of: UInt8(ascii: "#")) else {
      guard !text.isEmpty else { return nil }
      self.init(text)
      return
    }
    let digits = text.utf8[text.utf8.index(after: hash)...]
    guard hash != text.startIndex, let first = digits.first, (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(first),
      let number = Int(String(text[digits.startIndex...])), digits.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    self.init(String(text[..<hash]), number)
  }

  /// `collect` in the first pass, `review#2` in the second.
  public var description: String { iteration == 1 ? id : "\(id)#\(iteration)" }
}
