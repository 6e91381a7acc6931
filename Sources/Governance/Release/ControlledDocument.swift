public import Core

/// Controlled text of a release, such as a policy, with its clauses.
public struct ControlledDocument: Sendable {
  /// A heading and what stands under it.
  public struct Clause: Hashable, Sendable {
    /// The heading's number (`3.2`), else its slug (`change-flights`).
    public let id: String
    /// The heading without its number.
    public let title: String
    /// The text up to the next heading.
    public let text: String
  }

  /// The file's name, such as `policy.md`.
  public let name: String
  /// SHA-256 of the bytes.
  public let digest: Digest
  /// The clauses in order.
  public let clauses: [Clause]

  /// Reads Markdown; nil where the bytes are not UTF-8.
  public init?(name: String, bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    self.name = name
    digest = SHA256.hash(bytes)
    var clauses: [(id: String, title: String, lines: [Substring])] = []
    var isCode = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isCode.toggle() }
      if !isCode, let heading = Self.heading(line) {
        clauses.append((heading.id, heading.title, []))
      } else if !clauses.isEmpty {
        clauses[clauses.count - 1].lines.append(line)
      }
    }
    self.clauses = clauses.map { clause in
      let text = clause.lines.joined(separator: "\n")
      return Clause(id: clause.id, title: clause.title, text: text.trimmingBlankLines)
    }
  }

  private static func heading(_ line: Substring) -> (id: String, title: String)? {
    let marks = line.prefix { $0 == "#" }
    guard (1...6).contains(marks.count), line.dropFirst(marks.count).first == " " else { return nil }
    let title = line.dropFirst(marks.count).drop { $0 == " " }
    let number = title.prefix { $0.isNumber || $0 == "." }
    if let first = number.first, first.isNumber, title.dropFirst(number.count).first == " " {
      let id = number.last == "." ? number.dropLast() : number
      return (String(id), String(title.dropFirst(number.count).drop { $0 == " " }))
    }
    var slug = ""
    for character in title.lowercased() {
      if character.isLetter || character.isNumber {
        slug.append(character)
      } else if !slug.hasSuffix("-"), !slug.isEmpty {
        slug.append("-")
      }
    }
    return (slug.hasSuffix("-") ? String(slug.dropLast()) : slug, String(title))
  }
}

extension String {
  /// The text without empty lines at either end.
  fileprivate var trimmingBlankLines: String {
    var lines = split(separator: "\n", omittingEmptySubsequences: false)[...]
    while lines.first?.allSatisfy({ $0 == " " }) == true { lines.removeFirst() }
    while lines.last?.allSatisfy({ $0 == " " }) == true { lines.removeLast() }
    return lines.joined(separator: "\n")
  }
}
