internal import Core

extension ValueDomain {
  /// A condition that is true of exactly the values of these regions; nil where it is true of every value, or none.
  func condition(_ places: Set<Int>) -> String? {
    let present = present
    if places.count == regions.count { return nil }
    if places == present { return "has(\(name))" }
    var parts = places.contains { regions[$0] == .missing } ? ["!has(\(name))"] : []
    parts += texts(places) + flags(places) + numbers(places)
    for place in places.sorted() {
      switch regions[place] {
      case .point(.null): parts.append("\(name) == null")
      case .list: parts.append("type(\(name)) == list")
      case .object: parts.append("type(\(name)) == map")
      case .rest: parts.append(rest)
      case .missing, .point, .text, .between: break
      }
    }
    return parts.joined(separator: " || ")
  }

  /// A text as a constant.
  static func quoted(_ text: String) -> String { JSON.string(text).text() }

  /// A condition that a value is one of these constants, or none of them.
  static func isOne(_ name: String, of constants: [String], isNot: Bool = false) -> String {
    if constants.count == 1 { return "\(name) \(isNot ? "!=" : "==") \(constants[0])" }
    return "\(isNot ? "!(" : "")\(name) in [\(constants.joined(separator: ", "))]\(isNot ? ")" : "")"
  }

  private func texts(_ places: Set<Int>) -> [String] {
    let points = regions.indices.filter { if case .point(.string) = regions[$0] { true } else { false } }
    func constants(_ places: [Int]) -> [String] {
      places.compactMap { if case .point(.string(let text)) = regions[$0] { Self.quoted(text) } else { nil } }
    }
    let chosen = points.filter { places.contains($0) }
    let others = points.filter { !places.contains($0) }
    let hasOthers = regions.indices.contains { regions[$0] == .text && places.contains($0) }
    // Of a closed list the shorter half is named, as long as nothing but texts can be there.
    let isShorter = kind == .text && !regions.contains(.text) && !others.isEmpty && others.count < chosen.count
    if hasOthers || isShorter {
      let isText = kind == .text ? [] : ["type(\(name)) == string"]
      let isNone = others.isEmpty ? [] : [Self.isOne(name, of: constants(others), isNot: true)]
      return [(isText + isNone).joined(separator: " && ")]
    }
    return chosen.isEmpty ? [] : [Self.isOne(name, of: constants(chosen))]
  }

  private func flags(_ places: Set<Int>) -> [String] {
    let chosen = [true, false].filter { flag in places.contains { regions[$0] == .point(.bool(flag)) } }
    if chosen.isEmpty { return [] }
    if chosen.count == 2 { return ["type(\(name)) == bool"] }
    if kind == .flag { return [chosen[0] ? name : "!\(name)"] }
    return ["\(name) == \(chosen[0])"]
  }

  // MARK: - Numbers and times

  private func isNumber(_ place: Int) -> Bool {
    switch regions[place] {
    case .point(.number), .between: true
    default: false
    }
  }

  private func numbers(_ places: Set<Int>) -> [String] {
    let line = regions.indices.filter { isNumber($0) }
    let chosen = line.filter { places.contains($0) }
    if chosen.isEmpty { return [] }
    if chosen.count == line.count { return ["type(\(name)) in [int, double]"] }
    let others = line.filter { !places.contains($0) }
    if kind != .open, others.count == 1, line.count > 2, others[0] != line.first, others[0] != line.last,
      case .point(.number(let number)) = regions[others[0]]
    {
      return ["\(name) != \(constant(number.double))"]
    }
    var parts: [String] = []
    var first = 0
    while first < chosen.count {
      var last = first
      while last + 1 < chosen.count, chosen[last + 1] == chosen[last] + 1 { last += 1 }
      parts.append(run(chosen[first], chosen[last], isFirst: chosen[first] == line.first, isLast: chosen[last] == line.last))
      first = last + 1
    }
    return parts
  }

  /// A condition for neighbouring regions.
  private func run(_ first: Int, _ last: Int, isFirst: Bool, isLast: Bool) -> String {
    if first == last, case .point(.number(let number)) = regions[first] { return "\(name) == \(constant(number.double))" }
    let lower: String? =
      switch regions[first] {
      case _ where isFirst: nil
      case .point(.number(let number)): "\(name) >= \(constant(number.double))"
      case .between(let bound?, _): "\(name) > \(constant(bound))"
      default: nil
      }
    let upper: String? =
      switch regions[last] {
      case _ where isLast: nil
      case .point(.number(let number)): "\(name) <= \(constant(number.double))"
      case .between(_, let bound?): "\(name) < \(constant(bound))"
      default: nil
      }
    let both = [lower, upper].compactMap(\.self)
    return both.joined(separator: " && ")
  }

  private func constant(_ number: Double) -> String {
    switch kind {
    case .time: "timestamp(\(Self.quoted(Instant(milliseconds: Int64(number)).iso8601)))"
    case .integer where number == number.rounded() && number.magnitude <= 0x1p53: String(Int64(number))
    default: number.description
    }
  }

  /// What is of none of the other kinds.
  private var rest: String {
    var kinds: [String] = []
    if regions.contains(.text) { kinds.append("string") }
    if regions.contains(.point(.bool(true))) { kinds.append("bool") }
    if regions.indices.contains(where: { isNumber($0) }) { kinds += ["int", "double"] }
    if regions.contains(.list) { kinds.append("list") }
    if regions.contains(.object) { kinds.append("map") }
    let isNone = kinds.isEmpty ? "has(\(name))" : Self.isOne("type(\(name))", of: kinds, isNot: true)
    return regions.contains(.point(.null)) ? "\(isNone) && \(name) != null" : isNone
  }
}
