internal import Core

/// Somebody or something outside that a text names: a mail address, a web address, an account, a telephone number.
///
/// A text that goes out can steer its reader to such a target, so each one counts like an argument of its own.
struct ContactTarget: Hashable, Sendable {
  /// The target as it was written.
  let text: String

  /// The labels of its host that are long enough to be recognised in other words: `evil-corp` of `eve@evil-corp.net`.
  var hostLabels: [[UInt8]] {
    let bytes = Array(text.utf8)
    let afterScheme = bytes.firstRange(of: Array("://".utf8)).map { bytes[$0.upperBound...] } ?? bytes[...]
    let afterUser = afterScheme.lastIndex(of: UInt8(ascii: "@")).map { afterScheme[($0 + 1)...] } ?? afterScheme
    return afterUser.split { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
      .map { TextDisguise.squashed(String(decoding: $0, as: UTF8.self)) }
      .filter { $0.count >= 5 && !Self.commonLabels.contains($0) }
  }

  private static let commonLabels: Set<[UInt8]> = Set(["https", "online", "email"].map { Array($0.utf8) })

  /// Every target in a text, in order, the disguised ones included: `eve [at] evil [dot] net`, `eve%40evil.net`, full-width letters, base64.
  ///
  /// - Complexity: O(bytes).
  static func all(in text: String) -> [ContactTarget] {
    if !canHold(text) { return [] }
    var found: [ContactTarget] = []
    var seen: Set<ExactString> = []
    for form in TextDisguise.forms(of: text) {
      for token in tokens(of: form) {
        guard let target = target(in: token), seen.insert(ExactString(target)).inserted else { continue }
        found.append(ContactTarget(text: target))
      }
      for number in numbers(in: form) where seen.insert(ExactString(number)).inserted { found.append(ContactTarget(text: number)) }
    }
    return found
  }

  /// Whether a text has what every contact needs: a sign, eight digits, or something in disguise.
  private static func canHold(_ text: String) -> Bool {
    var digits = 0
    for byte in text.utf8 {
      if byte >= 0x80 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "/") { return true }
      if byte &- 0x30 < 10 {
        digits += 1
        if digits >= 8 { return true }
      }
    }
    return TextDisguise.forms(of: text).count > 1
  }

  /// The words of a text, as wide as an address can be.
  private static func tokens(of text: String) -> [String.UTF8View.SubSequence] {
    text.utf8.split { $0 <= 0x20 || separators.contains($0) }
  }

  /// Numbers in groups with at least eight digits that are no date: telephones, accounts, cards.
  private static func numbers(in text: String) -> [String] {
    let isDigit = { (byte: UInt8) in byte &- 0x30 < 10 }
    let runs = text.utf8.split { byte in !isDigit(byte) && !" -./()+".utf8.contains(byte) }
    return runs.compactMap { run in
      guard run.count(where: isDigit) >= 8 else { return nil }
      var bytes = Array(run)
      while let last = bytes.last, !isDigit(last) { bytes.removeLast() }
      while let first = bytes.first, !isDigit(first), first != UInt8(ascii: "+") { bytes.removeFirst() }
      let groups = bytes.split { !isDigit($0) }
      return groups.count < 2 || isDates(groups) ? nil : String(decoding: bytes, as: UTF8.self)
    }
  }

  /// Whether groups of digits are days, with their times: `2026-01-02`, `02.01.2026 10.30`, `2026-01-02 2026-01-05`.
  private static func isDates(_ groups: [ArraySlice<UInt8>]) -> Bool {
    var rest = groups[...]
    while !rest.isEmpty {
      let sizes = rest.prefix(3).map(\.count)
      guard sizes == [4, 2, 2] || sizes == [2, 2, 4] || sizes == [1, 2, 4] || sizes == [2, 1, 4] || sizes == [1, 1, 4] else { return false }
      rest = rest.dropFirst(3).drop { $0.count <= 2 }
    }
    return true
  }

  /// Whether a text as a whole is a day, with or without a time.
  static func isDate(_ text: String) -> Bool {
    let groups = Array(text.utf8).split { !($0 &- 0x30 < 10) }
    return !groups.isEmpty && isDates(groups) && text.utf8.count { ($0 | 0x20) &- 0x61 < 26 } <= 2
  }

  /// Whether a text as a whole is a contact.
  static func isContact(_ text: String) -> Bool { all(in: text).contains { bytesEqual($0.text, text) } }

  /// Every target has one of these, or digits.
  private static let marks = Set(".@:/+0123456789".utf8)

  private static let separators = Set(",;<>()[]{}\"'`|*".utf8)

  private static func target(in token: String.UTF8View.SubSequence) -> String? {
    var bytes = Array(token)
    while let last = bytes.last, !FoldedText.isWord(last), last != UInt8(ascii: "/") { bytes.removeLast() }
    while let first = bytes.first, !FoldedText.isWord(first), first != UInt8(ascii: "+") { bytes.removeFirst() }
    guard bytes.count >= 4, bytes.contains(where: { marks.contains($0) }) else { return nil }
    // `see:www.evil.net` and `mail=eve@evil.net`: what stands before the sign is no part of the address.
    if let cut = bytes.lastIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }), cut + 1 < bytes.count,
      bytes[..<cut].allSatisfy({ FoldedText.isWord($0) })
    {
      let rest = Array(bytes[(cut + 1)...])
      if isWebAddress(rest) || isMailAddress(rest) || isHost(rest[...]) { return String(decoding: rest, as: UTF8.self) }
    }
    guard isWebAddress(bytes) || isMailAddress(bytes) || isHost(bytes[...]) || isAccount(bytes) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isWebAddress(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: "www.".utf8) || ByteSearch.holds(bytes, schemeEnd)
  }

  private static let schemeEnd = Array("://".utf8)

  private static func isMailAddress(_ bytes: [UInt8]) -> Bool {
    guard let at = bytes.lastIndex(of: UInt8(ascii: "@")), at > 0 else { return false }
    return isHost(bytes[(at + 1)...])
  }

  /// `evil-corp.net`, `evil.net/path`, `192.0.2.1`: a name of labels whose last one is of letters and does not say that it is a file's, or
  /// an IPv4 address.
  private static func isHost(_ bytes: ArraySlice<UInt8>) -> Bool {
    let host = bytes.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: ":") }
    let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    if labels.count == 4, labels.allSatisfy({ (1...3).contains($0.count) && $0.allSatisfy { $0 &- 0x30 < 10 } }) { return true }
    guard labels.count >= 2, let last = labels.last, last.count >= 2, last.count <= 24,
      last.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 || $0 >= 0x80 }),
      labels.allSatisfy({ label in !label.isEmpty && label.allSatisfy { FoldedText.isWord($0) || $0 == UInt8(ascii: "-") } })
    else { return false }
    return host.count < bytes.count || !fileEndings.contains(last.map { $0 | 0x20 })
  }

  private static let fileEndings: Set<[UInt8]> = Set(
    ["txt", "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "csv", "json", "jpg", "jpeg", "png", "gif", "svg", "xml", "html", "log"]
      .map { Array($0.utf8) })

  /// An IBAN, a telephone number with its `+`, or a run of at least nine digits.
  private static func isAccount(_ bytes: [UInt8]) -> Bool {
    let isDigit = { (byte: UInt8) in byte &- 0x30 < 10 }
    if bytes[0] == UInt8(ascii: "+") {
      return bytes.count(where: isDigit) >= 8 && bytes.dropFirst().allSatisfy { isDigit($0) || $0 == 0x2D }
    }
    if bytes.count >= 12, bytes.count <= 34, bytes.prefix(2).allSatisfy({ $0 &- 0x41 < 26 }), bytes[2...3].allSatisfy(isDigit) {
      return bytes.dropFirst(4).allSatisfy { isDigit($0) || $0 &- 0x41 < 26 }
    }
    return bytes.count >= 9 && bytes.allSatisfy(isDigit)
  }
}
