/// The markings of a net that a search has met, each once, with what a search asks of them again and again.
struct MarkingStore {
  /// One way on from a marking.
  struct Step {
    /// Number of the activity; nil for a silent transition.
    let activity: Int?
    /// Number of the marking that follows.
    let marking: Int
  }

  /// The net.
  let net: ProcessNet
  /// Number of the marking with one token in ``ProcessNet/end``.
  private(set) var end = 0
  /// Number of the marking with one token in ``ProcessNet/start``.
  private(set) var start = 0
  /// How many activities at the least are ahead of each marking.
  private(set) var potentials: [Int] = []
  /// Number of each marking's set of activities that can still happen, in ``futures``.
  private(set) var futureNumbers: [Int] = []
  /// The different sets of activities that can still happen.
  private(set) var futures: [[Bool]] = []
  /// The marked places of each marking, ascending: the net is safe, so a set says all.
  private var markings: [[Int]] = []
  private var numbers: [[Int]: Int] = [:]
  private var numbersOfFutures: [[Bool]: Int] = [:]
  private var steps: [[Step]?] = []

  /// How many markings are known.
  var count: Int { markings.count }

  init(_ net: ProcessNet) {
    self.net = net
    start = number([ProcessNet.start])
    end = number([ProcessNet.end])
  }

  /// The ways on from a marking, in the order of the tree.
  mutating func steps(from marking: Int) -> [Step] {
    if let known = steps[marking] { return known }
    let places = markings[marking]
    var found: [Step] = []
    for place in places {
      // A transition with many inputs is met once, at its first.
      for index in net.consumers[place] where net.transitions[index].inputs[0] == place {
        let transition = net.transitions[index]
        guard transition.inputs.allSatisfy(places.contains) else { continue }
        let next = (places.filter { !transition.inputs.contains($0) } + transition.outputs).sorted()
        found.append(Step(activity: transition.activity, marking: number(next)))
      }
    }
    steps[marking] = found
    return found
  }

  private mutating func number(_ places: [Int]) -> Int {
    if let known = numbers[places] { return known }
    var future = Array(repeating: false, count: net.activities.count)
    for place in places { for activity in future.indices where net.futures[place][activity] { future[activity] = true } }
    let futureNumber = numbersOfFutures[future] ?? futures.count
    if futureNumber == futures.count {
      numbersOfFutures[future] = futureNumber
      futures.append(future)
    }
    numbers[places] = markings.count
    markings.append(places)
    potentials.append(places.reduce(0) { $0 + net.potentials[$1] })
    futureNumbers.append(futureNumber)
    steps.append(nil)
    return markings.count - 1
  }
}
