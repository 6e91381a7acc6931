internal import CEL
internal import Core

/// One thing in which requests differ, and the finitely many ways that have to be told apart.
struct Aspect {
  enum Kind: Hashable {
    case principal, role(String), step, requester, requesterRole(String), implied, allowance, value(ExactPath)
  }

  /// One way, with a request's part that stands for all that are this way.
  struct Choice {
    enum Part {
      case principal(Request.Principal), step(Request.Step?), requester(Request.Requester?), flag(Bool), value(JSON?)
    }
    let part: Part
    /// A condition that is true of exactly the requests that are this way; nil where conditions cannot tell.
    let test: String?
    /// The bounds of a number or time, for conditions over neighbours: what has to be said of its lower and its upper side.
    var bounds: (lower: String?, upper: String?)?
  }

  let kind: Kind
  let choices: [Choice]

  /// A condition that is true of the requests that are one of these ways; nil where it is always true.
  func test(_ places: Set<Int>) -> String? {
    if places.count == choices.count { return nil }
    var tests: [String] = []
    var place = 0
    while place < choices.count {
      defer { place += 1 }
      guard places.contains(place) else { continue }
      guard let bounds = choices[place].bounds else {
        tests.append(choices[place].test ?? "true")
        continue
      }
      var last = place
      while last + 1 < choices.count, places.contains(last + 1), choices[last + 1].bounds != nil { last += 1 }
      let sides =
        last == place && choices[place].test?.contains("==") == true ? [choices[place].test] : [bounds.lower, choices[last].bounds?.upper]
      let known = sides.compactMap(\.self)
      tests.append(
        known.isEmpty ? choices[place...last].compactMap(\.test).joined(separator: " || ") : known.joined(separator: " && "))
      place = last
    }
    if tests.isEmpty { return nil }
    return tests.count == 1 ? tests[0] : "(" + tests.map { $0.contains("&&") ? "(\($0))" : $0 }.joined(separator: " || ") + ")"
  }
}

extension Aspect {
  /// The values of something that is read, told apart by what it is compared with.
  static func value(
    _ path: ExactPath, _ type: CELType, _ constants: [ConditionReading.Constant], choices known: [JSON]?, isRequired: Bool
  ) -> (aspect: Aspect, isExact: Bool) {
    let name = path.names.joined(separator: ".")
    var isExact = true
    var choices: [Choice] = []
    func add(_ value: JSON?, _ test: String) { choices.append(Choice(part: .value(value), test: test)) }
    if !isRequired { add(nil, "!has(\(name))") }
    if let known {
      for value in known { add(value, "\(name) == \(value.text())") }
      return (Aspect(kind: .value(path), choices: choices), isExact)
    }
    let texts = sortedUnique(constants.compactMap { if case .text(let text) = $0 { text } else { nil } })
    let members = sortedUnique(constants.compactMap { if case .member(let text) = $0 { text } else { nil } })
    let numbers = unique(constants.compactMap { if case .number(let value) = $0 { value } else { nil } })
    let hasFlag = constants.contains { if case .flag = $0 { true } else { false } }
    let isOpen = type.isOpen
    if type == .string || isOpen && !texts.isEmpty {
      for text in texts { add(.string(text), "\(name) == \(quoted(text))") }
      let other = ["another text", "x", "y", "z"].first { !texts.contains($0) } ?? "another text still"
      let guarded = isOpen ? "type(\(name)) == string && " : ""
      add(
        .string(other), texts.isEmpty ? "\(guarded)\(name) != ''" : "\(guarded)!(\(name) in [\(texts.map(quoted).joined(separator: ", "))])"
      )
    }
    if type == .bool || isOpen && hasFlag {
      add(.bool(true), "\(name) == true")
      add(.bool(false), "\(name) == false")
    }
    if type == .int || type == .double || isOpen && !numbers.isEmpty {
      let points = Self.points(numbers, isInteger: type == .int)
      if points == nil { isExact = false }
      choices += numberChoices(name, points ?? [], isInteger: type == .int)
    }
    if case .list = type { choices += listChoices(name, members, &isExact) }
    if isOpen, !members.isEmpty { choices += listChoices(name, members, &isExact) }
    if isOpen {
      var kinds = texts.isEmpty ? [] : ["string"]
      if hasFlag { kinds.append("bool") }
      if !numbers.isEmpty { kinds += ["int", "double"] }
      if !members.isEmpty { kinds.append("list") }
      add(.null, kinds.isEmpty ? "has(\(name))" : kinds.map { "type(\(name)) != \($0)" }.joined(separator: " && "))
    }
    if choices.isEmpty || choices.count == 1 && !isRequired {
      // Of a type that the analysis knows nothing of: only whether it is there.
      add(type.sample, "has(\(name))")
      isExact = constants.isEmpty
    }
    return (Aspect(kind: .value(path), choices: choices), isExact)
  }

  /// The doubles that constants are, ascending; nil where one is not a double exactly.
  private static func points(_ numbers: [CELValue], isInteger: Bool) -> [Double]? {
    var points: Set<Double> = []
    for number in numbers {
      guard case .number(let value)? = Observation(number: number) else { return nil }
      points.insert(value)
    }
    return points.sorted()
  }

  private static func numberChoices(_ name: String, _ points: [Double], isInteger: Bool) -> [Choice] {
    func json(_ value: Double) -> JSON { JSONNumber(value).map { .number($0) } ?? .null }
    func text(_ value: Double) -> String { isInteger && value == value.rounded() ? String(Int64(value)) : "\(value)" }
    guard let first = points.first, let last = points.last else {
      return [Choice(part: .value(json(1)), test: "has(\(name))")]
    }
    var choices: [Choice] = []
    let below = first > 0 && (!isInteger || first >= 1) ? 0 : first - 1
    choices.append(Choice(part: .value(json(below)), test: "\(name) < \(text(first))", bounds: (nil, "\(name) < \(text(first))")))
    for (place, point) in points.enumerated() {
      choices.append(
        Choice(
          part: .value(json(point)), test: "\(name) == \(text(point))", bounds: ("\(name) >= \(text(point))", "\(name) <= \(text(point))")))
      guard place + 1 < points.count else { break }
      let next = points[place + 1]
      let middle = isInteger ? (point.rounded(.down) + 1) : point + (next - point) / 2
      if middle > point, middle < next {
        let sides = ("\(name) > \(text(point))", "\(name) < \(text(next))")
        choices.append(Choice(part: .value(json(middle)), test: "\(sides.0) && \(sides.1)", bounds: sides))
      }
    }
    choices.append(Choice(part: .value(json(last + 1)), test: "\(name) > \(text(last))", bounds: ("\(name) > \(text(last))", nil)))
    return choices
  }

  private static let maximumMembers = 4

  private static func listChoices(_ name: String, _ members: [String], _ isExact: inout Bool) -> [Choice] {
    if members.count > maximumMembers { isExact = false }
    let used = Array(members.prefix(maximumMembers))
    return (0..<(1 << used.count)).map { mask in
      let inside = used.indices.filter { mask >> $0 & 1 == 1 }.map { used[$0] }
      let test = used.map { (inside.contains($0) ? "" : "!") + "(\(quoted($0)) in \(name))" }.joined(separator: " && ")
      return Choice(part: .value(.array(inside.map { .string($0) })), test: test.isEmpty ? "has(\(name))" : test)
    }
  }

  /// Times before, at and after those that conditions compare with.
  static func now(_ times: [CELTimestamp]) -> Aspect {
    let sorted = Set(times).sorted { $0.seconds < $1.seconds }
    var choices: [Choice] = []
    for (place, time) in sorted.enumerated() {
      let text = "timestamp('\(time)')"
      let lower = place == 0 ? nil : "now > timestamp('\(sorted[place - 1])')"
      let before = [lower, "now < \(text)"].compactMap(\.self).joined(separator: " && ")
      choices.append(Choice(part: .value(.int((time.seconds - 1) * 1000)), test: before, bounds: (lower, "now < \(text)")))
      choices.append(Choice(part: .value(.int(time.seconds * 1000)), test: "now == \(text)", bounds: ("now >= \(text)", "now <= \(text)")))
      if place + 1 == sorted.count {
        choices.append(Choice(part: .value(.int((time.seconds + 1) * 1000)), test: "now > \(text)", bounds: ("now > \(text)", nil)))
      }
    }
    if choices.isEmpty { choices.append(Choice(part: .value(.int(RuleTests.defaultNow.milliseconds)), test: nil)) }
    return Aspect(kind: .value(ExactPath(["now"])), choices: choices)
  }

  static func quoted(_ text: String) -> String { JSON.string(text).text() }

  private static func sortedUnique(_ texts: [String]) -> [String] { Set(texts.map { ExactString($0) }).sorted().map(\.string) }
  private static func unique(_ values: [CELValue]) -> [CELValue] { Array(Set(values)) }
}

extension CELType {
  /// Whether a value read under this type may be of any type.
  fileprivate var isOpen: Bool { self == .dyn }

  /// Some value of the type.
  fileprivate var sample: JSON {
    switch self {
    case .string: "text"
    case .bool: true
    case .int, .uint, .double: 1
    case .list: []
    case .map, .object: .object([:])
    case .timestamp: "2026-01-01T10:00:00Z"
    case .duration: "90s"
    default: "text"
    }
  }
}
