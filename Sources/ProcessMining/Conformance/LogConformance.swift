/// The variants of a log aligned with one process tree.
public struct LogConformance: Sendable {
  /// One variant and how it aligns.
  public struct Row: Sendable {
    /// The variant.
    public let variant: Variants.Variant
    /// Its alignment, or the sign that the search gave up.
    public let outcome: AlignmentOutcome
  }

  /// The variants, most frequent first.
  public let rows: [Row]
  /// How many cases were aligned.
  public let aligned: Int
  /// How many cases belong to variants whose search gave up: they count in nothing below.
  public let gaveUp: Int
  /// How many of the aligned cases fit without any cost.
  public let fitting: Int
  /// The mean fitness of the aligned cases; nil where there are none.
  public let meanFitness: Double?
  /// 1 less the cost of all aligned cases as a share of their cost at worst; nil where there are none.
  public let logFitness: Double?

  /// Aligns each variant once.
  ///
  /// - Parameters:
  ///   - variants: Of the log; cases without a completion have none.
  ///   - tree: The model.
  ///   - limit: How many states the search for one variant may hold.
  public init(_ variants: Variants, _ tree: ProcessTree, limit: Int = Aligner.defaultLimit) {
    var aligner = Aligner(tree, limit: limit)
    rows = variants.variants.map { Row(variant: $0, outcome: aligner.align($0.activities)) }
    var (aligned, fitting, cost, worst, sum) = (0, 0, 0, 0, 0.0)
    for row in rows {
      guard let alignment = row.outcome.alignment else { continue }
      aligned += row.variant.count
      if alignment.cost == 0 { fitting += row.variant.count }
      cost += alignment.cost * row.variant.count
      worst += (row.variant.activities.count + aligner.shortestLength) * row.variant.count
      sum += alignment.fitness * Double(row.variant.count)
    }
    self.aligned = aligned
    self.fitting = fitting
    gaveUp = variants.cases - aligned
    meanFitness = aligned > 0 ? sum / Double(aligned) : nil
    logFitness = aligned > 0 ? 1 - Double(cost) / Double(max(1, worst)) : nil
  }
}
