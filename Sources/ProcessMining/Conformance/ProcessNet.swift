/// The accepting Petri net of a process tree: what alignments and replay play.
///
/// Every block gets one place before and one behind it; parallel blocks and loops enter and leave through silent transitions. Built this
/// way the net is sound and safe: in each marking that it reaches from ``start``, a place holds one token or none, and ``end`` is always
/// still within reach.
///
/// - SeeAlso: W. van der Aalst, "The application of Petri nets to workflow management", 1998, doi:10.1142/S0218126698000043.
struct ProcessNet: Sendable {
  /// What takes tokens from places and puts some into others.
  struct Transition: Hashable, Sendable {
    /// Number of the activity in ``ProcessNet/activities``; nil where a log shows nothing.
    let activity: Int?
    /// Places that each give one token.
    let inputs: [Int]
    /// Places that each get one token.
    let outputs: [Int]
  }

  /// The place that holds the one token before anything happened.
  static let start = 0
  /// The place that holds the one token when everything is done.
  static let end = 1

  /// Names by activity number, in the order in which the tree shows them first.
  private(set) var activities: [String] = []
  /// The number of each activity.
  private(set) var numbers: [String: Int] = [:]
  /// The transitions in the order of the tree.
  private(set) var transitions: [Transition] = []
  /// Numbers of the transitions that take from each place.
  private(set) var consumers: [[Int]] = [[], []]
  /// How many activities at the least are still ahead for the token in a place: over a marking, these sum up to the length of the
  /// shortest way to ``end``, exactly.
  ///
  /// Only the first branch of a parallel block counts what comes behind it, so nothing is counted twice.
  private(set) var potentials: [Int] = [0, 0]
  /// Per place, the activities that can still happen because of its token.
  private(set) var futures: [[Bool]] = []

  /// How many places there are.
  var placeCount: Int { consumers.count }
  /// How many activities the shortest way through the tree shows.
  var shortestLength: Int { potentials[Self.start] }

  /// Makes the net.
  ///
  /// - Parameter tree: A block without children is silent.
  /// - Complexity: O(n) places and transitions for n nodes; O(n² a) at worst for the futures of a activities.
  init(_ tree: ProcessTree) {
    add(tree, from: Self.start, to: Self.end)
    potentials[Self.start] = Self.shortestLength(of: tree)
    findFutures()
  }

  /// How many activities the shortest way through a tree shows.
  static func shortestLength(of tree: ProcessTree) -> Int {
    switch tree {
    case .silent: 0
    case .activity: 1
    case .sequence(let children), .parallel(let children): children.reduce(0) { $0 + shortestLength(of: $1) }
    case .choice(let children): children.lazy.map(shortestLength).min() ?? 0
    case .loop(let body, _): shortestLength(of: body)
    }
  }

  private mutating func place(_ potential: Int) -> Int {
    consumers.append([])
    potentials.append(potential)
    return consumers.count - 1
  }

  private mutating func connect(_ activity: Int?, _ inputs: [Int], _ outputs: [Int]) {
    for input in inputs { consumers[input].append(transitions.count) }
    transitions.append(Transition(activity: activity, inputs: inputs, outputs: outputs))
  }

  private mutating func number(_ name: String) -> Int {
    if let known = numbers[name] { return known }
    numbers[name] = activities.count
    activities.append(name)
    return activities.count - 1
  }

  private mutating func add(_ tree: ProcessTree, from: Int, to: Int) {
    switch tree {
    case .silent, .sequence([]), .choice([]), .parallel([]): connect(nil, [from], [to])
    case .activity(let name): connect(number(name), [from], [to])
    case .choice(let children): for child in children { add(child, from: from, to: to) }
    case .sequence(let children):
      var ahead = children.reduce(potentials[to]) { $0 + Self.shortestLength(of: $1) }
      var before = from
      for (index, child) in children.enumerated() {
        ahead -= Self.shortestLength(of: child)
        let behind = index == children.count - 1 ? to : place(ahead)
        add(child, from: before, to: behind)
        before = behind
      }
    case .parallel(let children):
      let behind = children.indices.map { place($0 == 0 ? potentials[to] : 0) }
      let before = zip(children, behind).map { child, behind in place(potentials[behind] + Self.shortestLength(of: child)) }
      connect(nil, [from], before)
      for (index, child) in children.enumerated() { add(child, from: before[index], to: behind[index]) }
      connect(nil, behind, [to])
    case .loop(let body, let redo):
      let behind = place(potentials[to])
      let before = place(potentials[to] + Self.shortestLength(of: body))
      connect(nil, [from], [before])
      add(body, from: before, to: behind)
      for child in redo { add(child, from: behind, to: before) }
      connect(nil, [behind], [to])
    }
  }

  private mutating func findFutures() {
    futures = Array(repeating: Array(repeating: false, count: activities.count), count: placeCount)
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for transition in transitions.reversed() {
        for input in transition.inputs {
          if let activity = transition.activity, !futures[input][activity] {
            futures[input][activity] = true
            isGrowing = true
          }
          for output in transition.outputs {
            for activity in activities.indices where futures[output][activity] && !futures[input][activity] {
              futures[input][activity] = true
              isGrowing = true
            }
          }
        }
      }
    }
  }
}
