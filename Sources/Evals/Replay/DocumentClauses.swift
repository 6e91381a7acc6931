/// The names of the clauses of a document: the number of each heading, else its slug.
enum DocumentClauses {
  static func ids(of markdown: [UInt8]) -> [String] {
    var ids: [String] = []
    var isCode = false
    for line in String(decoding: markdown, as: UTF8.self).split(separator: "\n") {
      if line.hasPrefix("```") { isCode.toggle() }
      let marks = line.prefix { $0 == "#" }
      guard !isCode, (1...6).contains(marks.count), line.dropFirst(marks.count).first == " " else { continue }
      let title = line.dropFirst(marks.count).drop { $0 == " " }
      let number = title.prefix { $0.isNumber || $0 == "." }
      if number.first?.isNumber == true, title.dropFirst(number.count).first == " " {
        ids.append(String(number.last == "." ? number.dropLast() : number))
      } else {
        ids.append(slug(title))
      }
    }
    return ids
  }

  private static func slug(_ title: Substring) -> String {
    var words: [String] = [""]
    for character in title.lowercased() {
      if character.isLetter || character.isNumber {
        words[words.count - 1].append(character)
      } else if words.last?.isEmpty == false {
        words.append("")
      }
    }
    return words.filter { !$0.isEmpty }.joined(separator: "-")
  }
}
