internal import Core
internal import Glibc

/// Text in the form in which it is compared and searched: lower case, in UTF-8.
///
/// What a person wrote and what a model copied differ in case and in surrounding white space, and in nothing else that should count.
struct FoldedText: Hashable, Sendable {
  let bytes: [UInt8]

  /// Folds a text.
  ///
  /// - Complexity: O(bytes).
  init(_ text: String) {
    var text = text
    bytes = text.withUTF8 { utf8 in
      if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 } }
      return Array(String(decoding: utf8, as: UTF8.self).lowercased().utf8)
    }
  }

  /// Keeps a text as it is written, for what capitals tell apart.
  init(exact text: String) { bytes = Array(text.utf8) }

  /// The text without white space at its ends.
  var trimmed: ArraySlice<UInt8> {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte &- 9 < 5 }
    guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) }) else { return [] }
    return bytes[first...last]
  }

  /// Whether a value stands in this text as words of its own: not as a part of a longer word, and an address not as a part of a longer
  /// address (`corp.com` does not stand in `ann@corp.com`, nor in `corp.com.evil.net`).
  ///
  /// - Complexity: O(bytes) for most values; a value is never searched for more than once from each of its first bytes.
  func mentions(_ value: FoldedText) -> Bool {
    let value = value.trimmed
    guard !value.isEmpty else { return false }
    return bytes.withUnsafeBufferPointer { text in
      value.withUnsafeBufferPointer { value in
        var start = 0
        while let place = ByteSearch.first(value, in: text, from: start) {
          if Self.stands(value, at: place, in: text) { return true }
          start = place + 1
        }
        return false
      }
    }
  }

  /// The up to three words before each place where a number stands as a word of its own, or after a `#`.
  ///
  /// - Complexity: O(bytes).
  func wordsBefore(number: FoldedText) -> [[[UInt8]]] {
    let words = bytes.split { !Self.isWord($0) && $0 != UInt8(ascii: "#") }
    return words.indices.compactMap { place in
      let before = words[..<place].suffix(3).map { Array($0) }
      if words[place].elementsEqual(number.bytes) { return before }
      let isNumbered = words[place].first == UInt8(ascii: "#") && words[place].dropFirst().elementsEqual(number.bytes)
      return isNumbered ? before + [[UInt8(ascii: "#")]] : nil
    }
  }

  /// Whether it is a bare number of at most six digits, which stands in too many places to say anything.
  var isShortNumber: Bool { (1...6).contains(bytes.count) && bytes.allSatisfy { $0 &- 0x30 < 10 } }

  private static func stands(
    _ value: UnsafeBufferPointer<UInt8>, at place: Int, in text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    let end = place + value.count
    let isAddress = value.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "@") }
    // Within an address neither the dot nor the signs of its other parts end a word.
    func joins(_ byte: UInt8, _ beyond: Int) -> Bool {
      if isWord(byte) || isAddress && "@-+".utf8.contains(byte) { return true }
      return byte == UInt8(ascii: ".") && text.indices.contains(beyond) && isWord(text[beyond])
    }
    if place > 0, isWord(value[0]) || isAddress, joins(text[place - 1], place - 2) { return false }
    if end < text.count, isWord(value[value.count - 1]), joins(text[end], end + 1) { return false }
    return true
  }

  /// Letters, digits, the underscore, and everything outside ASCII.
  static func isWord(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "_") || byte >= 0x80
  }

  /// Whether the text is prose, which can carry an instruction: at least four words and twenty bytes.
  static func isProse(_ text: String) -> Bool {
    text.utf8.count >= 20 && text.utf8.split(whereSeparator: { $0 == 0x20 || $0 &- 9 < 5 }).count >= 4
  }
}

/// Search in bytes.
enum ByteSearch {
  /// Whether a needle stands anywhere in a text.
  static func holds(_ text: [UInt8], _ needle: [UInt8]) -> Bool {
    text.withUnsafeBufferPointer { text in needle.withUnsafeBufferPointer { first($0, in: text, from: 0) != nil } }
  }

  /// The first place at or after `start` where a needle begins, or nil.
  static func first(_ needle: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard let head = needle.first, let own = needle.baseAddress, let base = text.baseAddress else { return nil }
    let last = text.count - needle.count
    var place = start
    while place <= last {
      guard let found = memchr(base + place, Int32(head), last - place + 1) else { return nil }
      place = found - UnsafeMutableRawPointer(mutating: base)
      if memcmp(base + place, own, needle.count) == 0 { return place }
      place += 1
    }
    return nil
  }
}
