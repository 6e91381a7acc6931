/// A directly-follows graph as a picture: one self-contained SVG file.
///
/// Cases run from top to bottom. Thicker arrows were taken more often; dashed ones go back against the main direction. Large graphs are
/// cut down to ``Options``: then the picture says how much it leaves out.
public struct ProcessMap: Sendable {
  /// What the picture shows.
  public struct Options: Hashable, Sendable {
    /// The headline.
    public var title: String
    /// Most activities to show; the most frequent are kept.
    public var maximumActivities: Int
    /// Most arrows to show.
    ///
    /// Beyond them only those are kept without which an activity would hang in the air, and those are always kept: the widest way from the
    /// start to each activity and from there to the end.
    public var maximumArcs: Int

    /// The usual picture: at most 60 activities and 70 arrows.
    public init(title: String = "Process map", maximumActivities: Int = 60, maximumArcs: Int = 70) {
      self.title = title
      self.maximumActivities = max(1, maximumActivities)
      self.maximumArcs = max(1, maximumArcs)
    }
  }

  /// One arrow; the start and the end of the process are no activities.
  struct Arrow {
    enum End: Hashable {
      case start
      case activity(Int)
      case end
    }

    var from: End
    var to: End
    var count: Int
    var duration: DurationSummary?
  }

  let graph: DirectlyFollowsGraph
  let options: Options
  /// The nodes of the graph that are shown, ascending.
  let shown: [Int]
  let arrows: [Arrow]
  /// How many arrows the shown activities have in the graph.
  let arrowCount: Int

  /// Chooses what to show.
  ///
  /// - Complexity: O(A² + P log P) for A shown activities and P arcs.
  public init(_ graph: DirectlyFollowsGraph, options: Options = Options()) {
    self.graph = graph
    self.options = options
    let ranked = graph.nodes.indices.stableSorted { graph.nodes[$0].count > graph.nodes[$1].count }
    let kept = ranked.prefix(options.maximumActivities).sorted()
    let isKept = Set(kept)
    var all: [Arrow] = []
    for node in kept where graph.nodes[node].starts > 0 {
      all.append(Arrow(from: .start, to: .activity(node), count: graph.nodes[node].starts))
    }
    for arc in graph.arcs where isKept.contains(arc.from) && isKept.contains(arc.to) {
      all.append(Arrow(from: .activity(arc.from), to: .activity(arc.to), count: arc.count, duration: arc.duration))
    }
    for node in kept where graph.nodes[node].ends > 0 {
      all.append(Arrow(from: .activity(node), to: .end, count: graph.nodes[node].ends))
    }
    shown = kept
    arrowCount = all.count
    arrows = Self.select(all, options.maximumArcs)
  }

  /// The most frequent arrows, after those of the widest ways from the start and to the end.
  private static func select(_ all: [Arrow], _ limit: Int) -> [Arrow] {
    guard all.count > limit else { return all }
    var needed = Set<Int>()
    widest(all, from: .start, forward: true, into: &needed)
    widest(all, from: .end, forward: false, into: &needed)
    for index in all.indices.stableSorted(by: { all[$0].count > all[$1].count }) where needed.count < limit { needed.insert(index) }
    return needed.sorted().map { all[$0] }
  }

  /// Adds the arrows of a tree in which each activity is reached by the way whose rarest arrow is most frequent.
  private static func widest(_ all: [Arrow], from root: Arrow.End, forward: Bool, into needed: inout Set<Int>) {
    var arrows: [Arrow.End: [Int]] = [:]
    for (index, arrow) in all.enumerated() { arrows[forward ? arrow.from : arrow.to, default: []].append(index) }
    var width: [Arrow.End: (width: Int, arrow: Int)] = [:]
    var done: Set<Arrow.End> = [root]
    func relax(_ end: Arrow.End, _ reach: Int) {
      for index in arrows[end] ?? [] {
        let next = forward ? all[index].to : all[index].from
        let through = min(reach, all[index].count)
        guard !done.contains(next), through > (width[next]?.width ?? 0) else { continue }
        width[next] = (through, index)
      }
    }
    relax(root, .max)
    while true {
      // The widest next; the lowest arrow decides ties, so that the order of the table does not.
      let next = width.filter { !done.contains($0.key) }.max {
        ($0.value.width, $1.value.arrow) < ($1.value.width, $0.value.arrow)
      }
      guard let next else { return }
      done.insert(next.key)
      needed.insert(next.value.arrow)
      relax(next.key, next.value.width)
    }
  }
}
