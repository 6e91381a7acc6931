/// The clauses of a controlled document in Markdown, by the headings that rules and controls cite.
///
/// `## 3.2 High-risk vendors` is clause `3.2`; a heading without a number goes by its slug, such as `high-risk-vendors`. Headings inside
/// fenced code are text.
public struct DocumentClauses: Sendable {
  /// One clause.
  public struct Clause: Hashable, Sendable {
    /// The number or slug after `#` in a citation.
    public let id: String
    /// The heading without its number.
    public let title: String
    /// How deep the heading is, 1 to 6.
    public let level: Int
    /// The text under the heading, subordinate clauses included, without blank lines around it.
    public let text: String
  }

  /// The clauses in the order of the document; of two with the same id, citations mean the first.
  public let all: [Clause]

  /// Reads a document.
  ///
  /// - Complexity: O(length × depth of headings).
  public init(markdown: String) {
    let lines = markdown.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.last == "\r" ? line.dropLast() : line
    }
    var headings: [(line: Int, level: Int, id: String, title: String)] = []
    var fence: Substring?
    for (number, line) in lines.enumerated() {
      let trimmed = line.drop { $0 == " " }
      if let open = fence {
        if trimmed.hasPrefix(open), trimmed.allSatisfy({ $0 == open.first || $0 == " " }) { fence = nil }
      } else if trimmed.hasPrefix("```") || trimmed.hasPrefix("~~~") {
        fence = trimmed.prefix { $0 == trimmed.first }
      } else if let heading = Self.heading(trimmed) {
        headings.append((number, heading.level, heading.id, heading.title))
      }
    }
    all = headings.enumerated().map { place, heading in
      let end = headings[(place + 1)...].first { $0.level <= heading.level }?.line ?? lines.count
      var body = lines[(heading.line + 1)..<end]
      while body.first?.allSatisfy(\.isWhitespace) == true { body.removeFirst() }
      while body.last?.allSatisfy(\.isWhitespace) == true { body.removeLast() }
      return Clause(id: heading.id, title: heading.title, level: heading.level, text: body.joined(separator: "\n"))
    }
  }

  /// The clause of that id.
  public subscript(id: String) -> Clause? { all.first { $0.id == id } }

  /// The ids, once each, in the order of the document.
  public var ids: [String] {
    var seen: Set<String> = []
    return all.map(\.id).filter { seen.insert($0).inserted }
  }

  private static func heading(_ line: Substring) -> (level: Int, id: String, title: String)? {
    let marks = line.prefix { $0 == "#" }
    guard (1...6).contains(marks.count) else { return nil }
    let rest = line.dropFirst(marks.count)
    guard rest.first == " " || rest.first == "\t" else { return nil }
    var words = rest.split(whereSeparator: \.isWhitespace)
    if words.last?.allSatisfy({ $0 == "#" }) == true { words.removeLast() }
    guard let first = words.first else { return nil }
    if let number = number(first) { return (marks.count, number, words.dropFirst().joined(separator: " ")) }
    let title = words.joined(separator: " ")
    return (marks.count, slug(title), title)
  }

  /// `3`, `3.2` and `3.2.` are numbers of clauses.
  private static func number(_ word: Substring) -> String? {
    let plain = word.last == "." ? word.dropLast() : word
    let parts = plain.split(separator: ".", omittingEmptySubsequences: false)
    let isNumber = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }
    return !plain.isEmpty && isNumber ? String(plain) : nil
  }

  /// Letters and digits in lower case, with one `-` for everything between them.
  private static func slug(_ title: String) -> String {
    title.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
  }
}
