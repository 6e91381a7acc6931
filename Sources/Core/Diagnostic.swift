/// One problem in something that a person wrote: what, where, and what to do next.
///
/// Match on ``code``. ``message`` and ``hint`` are for people and may change in any release.
public struct Diagnostic: Error, Hashable, Sendable, CustomStringConvertible {
  /// Whether the problem stops the file from being used.
  public enum Severity: String, Sendable {
    /// The file cannot be used.
    case error
    /// The file can be used, but probably does not say what was meant.
    case warning
  }

  /// Whether this stops the file from being used.
  public var severity: Severity
  /// What kind of problem it is, stable across releases, in kebab case.
  public var code: String
  /// Where it is, if it has a place.
  public var position: SourcePosition?
  /// What is wrong: lower case, no full stop, the user's own words in backticks.
  public var message: String
  /// What to do next, if there is one thing to do.
  public var hint: String?

  /// Makes a diagnostic; the default severity is an error.
  public init(_ code: String, at position: SourcePosition?, _ message: String, hint: String? = nil, severity: Severity = .error) {
    self.severity = severity
    self.code = code
    self.position = position
    self.message = message
    self.hint = hint
  }

  /// `unknown KIND NAME`, with the nearest known name, or the known names where none is near.
  public static func unknown(_ kind: String, _ name: String, known: some Sequence<String>, at position: SourcePosition?) -> Diagnostic {
    let names = known.sorted()
    let listed = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", … (\(names.count) in all)" : "")
    let hint = nearestName(to: name, in: names).map { "did you mean `\($0)`?" } ?? (names.isEmpty ? nil : "known here: \(listed)")
    return Diagnostic(
      "unknown-\(kind.split(separator: " ").joined(separator: "-"))", at: position, "unknown \(kind) `\(visible(name))`", hint: hint)
  }

  /// `file:line:column: message`, then the hint on a line of its own.
  public var description: String {
    let label = severity == .warning ? "warning: " : ""
    return (position.map { "\($0): " } ?? "") + label + message + (hint.map { "\nhint: \($0)" } ?? "")
  }
}

extension Diagnostic {
  /// The code of a file that is not there.
  public static let fileNotFound = "file-not-found"

  /// A file that cannot be read, as a problem: ``fileNotFound`` or `unreadable-file`.
  public init(_ error: FileError) {
    self.init(error.code == .notFound ? Self.fileNotFound : "unreadable-file", at: nil, error.description)
  }
}

/// Every problem that was found in one go, in file order.
public struct Diagnostics: Error, Sendable, CustomStringConvertible {
  /// The problems, at least one.
  public var all: [Diagnostic]

  /// Wraps problems, sorted by file and place.
  public init(_ all: [Diagnostic]) {
    self.all = all.enumerated().sorted { a, b in
      let (x, y) = (a.element.position, b.element.position)
      return (x?.file ?? "", x?.offset ?? -1, a.offset) < (y?.file ?? "", y?.offset ?? -1, b.offset)
    }.map(\.element)
  }

  /// The problems one after the other, each on lines of its own.
  public var description: String { all.map(\.description).joined(separator: "\n") }
}

/// The known name that the user most likely meant, or nil when none is within two edits (one for names of up to three letters).
///
/// - Complexity: O(n · m) per known name, for names of n and m bytes.
public func nearestName(to name: String, in known: some Sequence<String>) -> String? {
  let target = Array(name.lowercased().utf8)
  guard target.count <= 128 else { return nil }
  var best: (distance: Int, name: String)?
  for candidate in known {
    let distance = editDistance(target, Array(candidate.lowercased().utf8))
    if distance <= (target.count <= 3 ? 1 : 2), distance < best?.distance ?? .max { best = (distance, candidate) }
  }
  return best?.name
}

/// The number of single-byte insertions, deletions, substitutions and swaps of neighbours that turn one text into the other.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  if abs(a.count - b.count) > 2 { return abs(a.count - b.count) }
  var before: [Int] = []
  var previous = Array(0...b.count)
  for i in 0..<a.count {
    var row = [i + 1]
    for j in 0..<b.count {
      var cost = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
      row.append(cost)
    }
    before = previous
    previous = row
  }
  return previous[b.count]
}
