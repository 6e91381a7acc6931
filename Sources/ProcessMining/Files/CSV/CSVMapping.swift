public import Core

/// Which columns of a table say what, by their names in the header.
public struct CSVMapping: Hashable, Sendable {
  /// The column that names the case.
  public var caseName: String
  /// The column that says what was done.
  public var activity: String
  /// The column that says when.
  public var time: String
  /// The column that says who, where there is one.
  public var resource: String?
  /// The column with the transition of the standard lifecycle of XES, where there is one.
  public var lifecycle: String?
  /// Minutes east of UTC for times without a zone; nil refuses them.
  public var zoneMinutes: Int?
  /// What stands between cells: a comma, a semicolon or a tab; nil takes the one that makes the columns appear in the header.
  public var separator: UInt8?

  /// The names that pm4py and Remit's own export use.
  public static let usual = CSVMapping(
    caseName: "case:concept:name", activity: "concept:name", time: "time:timestamp", resource: "org:resource",
    lifecycle: "lifecycle:transition")

  /// Names the columns.
  public init(
    caseName: String, activity: String, time: String, resource: String? = nil, lifecycle: String? = nil, zoneMinutes: Int? = nil,
    separator: UInt8? = nil
  ) {
    self.caseName = caseName
    self.activity = activity
    self.time = time
    self.resource = resource
    self.lifecycle = lifecycle
    self.zoneMinutes = zoneMinutes
    self.separator = separator
  }

  /// The words that ``init(pairs:)`` knows.
  public static let words = ["case", "activity", "time", "resource", "lifecycle", "zone", "separator"]

  /// Reads `case=Order`, `activity=Step`, `time=At`, `resource=By`, `lifecycle=State`, `zone=+02:00` and `separator=;`.
  ///
  /// What is not named stays as in ``usual``; but once any column is named, resource and lifecycle are those that are named, or none.
  ///
  /// - Throws: `Diagnostic` for a word or a value that means nothing.
  public init(pairs: [(name: String, value: String)]) throws(Diagnostic) {
    self = .usual
    if pairs.contains(where: { ["case", "activity", "time", "resource", "lifecycle"].contains($0.name) }) {
      (resource, lifecycle) = (nil, nil)
    }
    for (name, value) in pairs {
      switch name {
      case "case": caseName = value
      case "activity": activity = value
      case "time": time = value
      case "resource": resource = value
      case "lifecycle": lifecycle = value
      case "zone": zoneMinutes = try Self.minutes(value)
      case "separator": separator = try Self.separator(value)
      default: throw .unknown("part of a map", name, known: Self.words, at: nil)
      }
    }
    let columns = [caseName, activity, time] + [resource, lifecycle].compactMap { $0 }
    for (index, column) in columns.enumerated() where columns[..<index].contains(where: { Names.same($0, column) }) {
      throw Diagnostic(
        "csv-map", at: nil, "the column `\(visible(column))` is mapped twice", hint: "each part of the map is a column of its own")
    }
  }

  private static func minutes(_ text: String) throws(Diagnostic) -> Int {
    if text == "UTC" || text == "Z" { return 0 }
    let probe = Array("1970-01-01T00:00:00\(text)".utf8)
    guard text.utf8.count == 6, case .moment(let offset) = probe.withUnsafeBufferPointer({ FileTime.read($0) }) else {
      throw Diagnostic("csv-map", at: nil, "`\(visible(text))` is no zone", hint: "write `UTC`, or an offset such as `+02:00`")
    }
    return Int(-offset / 60_000)
  }

  private static func separator(_ text: String) throws(Diagnostic) -> UInt8 {
    switch text {
    case ",", "comma": return UInt8(ascii: ",")
    case ";", "semicolon": return UInt8(ascii: ";")
    case "\t", "tab": return UInt8(ascii: "\t")
    default: throw Diagnostic("csv-map", at: nil, "`\(visible(text))` is no separator", hint: "write `,`, `;` or `tab`")
    }
  }
}
