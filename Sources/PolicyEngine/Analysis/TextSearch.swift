internal import Core

/// A question about a part of a text.
struct TextSearch: Hashable {
  /// The functions, by their names.
  enum Kind: String {
    case startsWith, endsWith, contains
  }

  let kind: Kind
  let part: ExactString

  /// The answer for a text; bytes are compared, as conditions do.
  func holds(_ text: String) -> Bool {
    let (bytes, part) = (Array(text.utf8), Array(part.string.utf8))
    if part.count > bytes.count { return false }
    switch kind {
    case .startsWith: return bytes.starts(with: part)
    case .endsWith: return bytes.suffix(part.count).elementsEqual(part)
    case .contains: return (0...bytes.count - part.count).contains { bytes[$0...].starts(with: part) }
    }
  }

  /// The most texts that are made for one value.
  private static let maximumTexts = 256

  /// Texts that are none of these points, one at least for every combination of answers that some such text has; nil for too many.
  ///
  /// Whatever a text answers, so does the one that begins with its longest beginning, has in the middle all that it contains and
  /// ends with its longest end, with a character in between that is in none of them.
  static func texts(for searches: [TextSearch], apartFrom points: [String]) -> [String]? {
    func parts(_ kind: Kind) -> [String] { searches.filter { $0.kind == kind }.map(\.part.string) }
    let (starts, ends, middles) = ([""] + parts(.startsWith), [""] + parts(.endsWith), parts(.contains))
    guard middles.count < 8, starts.count * ends.count << middles.count <= maximumTexts else { return nil }
    let taken = (points + searches.map(\.part.string)).joined()
    guard let between = "-_~.+*#|^".first(where: { !taken.contains($0) }) else { return nil }
    var texts: [String] = []
    var known: Set<[Bool]> = []
    for subset in 0..<(1 << middles.count) {
      let middle = middles.indices.filter { subset >> $0 & 1 == 1 }.map { middles[$0] + String(between) }.joined()
      for start in starts {
        for end in ends {
          let text = start + String(between) + middle + end
          if known.insert(searches.map { $0.holds(text) }).inserted { texts.append(text) }
        }
      }
    }
    return texts
  }
}
