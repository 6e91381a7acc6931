internal import CEL
internal import Core

/// Everything that a value can be, in finitely many regions that no condition tells apart any further.
struct ValueDomain {
  /// Values of which one stands for all.
  enum Region: Hashable {
    /// There is no value.
    case missing
    /// Exactly this value.
    case point(JSON)
    /// Every text that is no point.
    case text
    /// The numbers, or times in milliseconds, between two, without them; nil where there is no bound.
    case between(Double?, Double?)
    /// Every list.
    case list
    /// Every object.
    case object
    /// Everything else.
    case rest
  }

  /// How the value is read, as far as that shows in conditions.
  enum Kind {
    case text, integer, double, time, flag, open, other
  }

  let name: String
  let kind: Kind
  let regions: [Region]

  var present: Set<Int> { Set(regions.indices.filter { regions[$0] != .missing }) }

  /// Whether all requests of a region have the same value here, or none.
  func isKnown(_ region: Int) -> Bool {
    switch regions[region] {
    case .missing, .point: true
    case .text, .between, .list, .object, .rest: false
    }
  }

  /// The places of these regions.
  func places(_ isMeant: (Region) -> Bool) -> Set<Int> { Set(regions.indices.filter { isMeant(regions[$0]) }) }

  // MARK: - Making one

  /// The constants that conditions compare a value with.
  struct Constants {
    private(set) var texts: [ExactString] = []
    private var known: Set<ExactString> = []
    var numbers: Set<Double> = []
    var hasFlags = false
    var hasNull = false
    /// Whether it is asked for members of the value, in a list or an object.
    var hasMembers = false
    /// Whether something is read of it.
    var hasFields = false
    /// Whether its text is searched.
    var isSearched = false

    mutating func add(_ text: String) { if known.insert(ExactString(text)).inserted { texts.append(ExactString(text)) } }
  }

  /// The regions of a value of a type.
  init(_ name: String, _ type: CELType, _ constants: Constants, choices: [JSON]?, isOptional: Bool, minimum: Double? = nil) {
    self.name = name
    var regions: [Region] = isOptional ? [.missing] : []
    if let choices {
      regions += choices.map { .point($0) }
      kind = choices.allSatisfy({ $0.stringValue != nil }) ? .text : type == .double ? .double : type == .int ? .integer : .open
      self.regions = regions
      return
    }
    let texts: [Region] = constants.texts.map { .point(.string($0.string)) } + [.text]
    let flags: [Region] = [.point(.bool(true)), .point(.bool(false))]
    switch type {
    case .string: (kind, regions) = (.text, regions + texts)
    case .bool: (kind, regions) = (.flag, regions + flags)
    case .int: (kind, regions) = (.integer, regions + Self.line(constants.numbers, isWhole: true, minimum))
    case .double: (kind, regions) = (.double, regions + Self.line(constants.numbers, isWhole: false, minimum))
    case .timestamp: (kind, regions) = (.time, regions + Self.line(constants.numbers, isWhole: true, minimum))
    case .list: (kind, regions) = (.other, regions + [.list])
    case .map, .object: (kind, regions) = (.other, regions + [.object])
    case .dyn:
      kind = .open
      if !constants.texts.isEmpty || constants.isSearched { regions += texts }
      if constants.hasFlags { regions += flags }
      if !constants.numbers.isEmpty { regions += Self.line(constants.numbers, isWhole: false, nil) }
      if constants.hasNull { regions.append(.point(.null)) }
      if constants.hasMembers { regions.append(.list) }
      if constants.hasMembers || constants.hasFields { regions.append(.object) }
      regions.append(.rest)
    default: (kind, regions) = (.other, regions + [.rest])
    }
    self.regions = regions
  }

  /// The numbers, divided at these.
  private static func line(_ numbers: Set<Double>, isWhole: Bool, _ minimum: Double?) -> [Region] {
    var regions: [Region] = []
    var lower: Double?
    for number in numbers.sorted() + [.infinity] {
      let upper = number == .infinity ? nil : number
      if let gap = gap(lower, upper, isWhole: isWhole, minimum) { regions.append(gap) }
      if let upper, !isWhole || upper == upper.rounded(), upper >= minimum ?? upper { regions.append(.point(json(upper))) }
      lower = upper
    }
    return regions
  }

  /// What lies between two numbers; nil where nothing does.
  private static func gap(_ lower: Double?, _ upper: Double?, isWhole: Bool, _ minimum: Double?) -> Region? {
    let lower = minimum.map { max(lower ?? -.infinity, $0 - 1) } ?? lower
    if let lower, let upper {
      if lower >= upper || !isWhole && lower.nextUp >= upper { return nil }
      if isWhole {
        let (first, last) = (lower.rounded(.down) + 1, upper.rounded(.up) - 1)
        if first > last { return nil }
        if first == last { return .point(json(first)) }
      }
    }
    return .between(lower, upper)
  }

  private static func json(_ number: Double) -> JSON { JSONNumber(number).map { .number($0) } ?? .null }

  // MARK: - Examples

  /// A value of a region, another one for each number where there are so many; nil for a missing one.
  ///
  /// Lists and objects are empty.
  func example(_ region: Int, _ number: Int = 0) -> JSON? {
    switch regions[region] {
    case .missing: return nil
    case .point(let value): return value
    case .text: return .string(otherText(number))
    case .between(let lower, let upper): return Self.json(between(lower, upper, number))
    case .list: return .array([])
    case .object: return .object([:])
    case .rest: return kind == .open ? .null : .string("PT1M")
    }
  }

  /// A text that is no point.
  private func otherText(_ number: Int) -> String {
    var (text, left, next) = ("other", number, 2)
    while true {
      if !regions.contains(.point(.string(text))) {
        if left == 0 { return text }
        left -= 1
      }
      text = "other-\(next)"
      next += 1
    }
  }

  private func between(_ lower: Double?, _ upper: Double?, _ number: Int) -> Double {
    // Times are shown to the second.
    let unit: Double = kind == .time ? 1000 : 1
    let offset = Double(number) * unit
    switch (lower, upper) {
    case (nil, nil): return kind == .time ? Double(RuleTests.defaultNow.milliseconds) + offset : 1 + offset
    case (let lower?, nil): return lower.rounded(.down) + unit + offset
    case (nil, let upper?): return upper > 0 && kind != .time ? -offset : upper.rounded(.up) - unit - offset
    case (let lower?, let upper?):
      let whole = lower.rounded(.down) + unit + offset
      if whole > lower, whole < upper { return whole }
      if kind == .integer || kind == .time { return lower.rounded(.down) + 1 + Double(number) }
      return lower + (upper - lower) / Double(number + 2)
    }
  }
}
