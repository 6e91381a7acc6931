internal import Glibc

/// A text as three words, by which texts of up to 16 bytes are told apart without touching memory of their own.
struct TextKey: Equatable, Sendable {
  let length: Int
  /// The first and the last eight bytes; they overlap in texts of up to 16.
  ///
  /// Shorter texts are filled up with zeros, and the length tells these from zeros of their own.
  let head: UInt64
  let tail: UInt64

  @inline(__always)
  init(_ text: String) {
    self = text.utf8.withContiguousStorageIfAvailable { TextKey(bytes: UnsafeRawBufferPointer($0)) } ?? TextKey(bytesOf: text)
  }

  @inline(never)
  private init(bytesOf text: String) { self = Array(text.utf8).withUnsafeBytes { TextKey(bytes: $0) } }

  @inline(__always)
  private init(bytes: UnsafeRawBufferPointer) {
    length = bytes.count
    if length >= 8 {
      head = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
      tail = bytes.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
    } else if length >= 4 {
      head = UInt64(bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
      tail = UInt64(bytes.loadUnaligned(fromByteOffset: length - 4, as: UInt32.self))
    } else {
      var word: UInt64 = 0
      for byte in bytes { word = word << 8 | UInt64(byte) }
      head = word
      tail = 0
    }
  }

  var hash: Int {
    let mixed = (head ^ (tail &* 0x9E37_79B9_7F4A_7C15) ^ UInt64(truncatingIfNeeded: length)) &* 0xFF51_AFD7_ED55_8CCD
    return Int(truncatingIfNeeded: mixed ^ (mixed >> 32)) & .max
  }
}

/// Where a hash table from texts to numbers lies in an array of words; without references of its own, so that reading it counts none.
///
/// The keys come from files that people write and never from requests, so the plain hash invites no collisions.
struct TextIndex: Sendable {
  /// The offset of the entries, four words each: length and value, head, tail, offset of the bytes of a text over 16.
  private var entries = 0
  /// The number of entries, a power of two, less one; -1 for an empty table.
  private var mask = -1

  /// A table without texts.
  init() {}

  /// Appends a table to the words; of two equal texts the first one counts.
  init(_ pairs: [(text: String, value: Int)], in words: inout [UInt64]) {
    if pairs.isEmpty { return }
    var capacity = 2
    while capacity < pairs.count * 2 { capacity *= 2 }
    mask = capacity - 1
    entries = words.count
    words.append(contentsOf: repeatElement(0, count: capacity * 4))
    for (text, value) in pairs where self.value(of: text, in: words) == nil {
      let key = TextKey(text)
      var place = key.hash & mask
      while words[entries + place * 4] != 0 { place = (place + 1) & mask }
      let entry = entries + place * 4
      words[entry] = UInt64(key.length) << 32 | UInt64(value + 1)
      words[entry + 1] = key.head
      words[entry + 2] = key.tail
      if key.length > 16 {
        words[entry + 3] = UInt64(words.count)
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: 8) {
          words.append(bytes[start..<min(start + 8, bytes.count)].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
      }
    }
  }

  var isEmpty: Bool { mask < 0 }

  /// The number of a text, or nil when it is not in the table.
  ///
  /// - Complexity: O(length of the text).
  @inline(__always)
  func value(of text: String, in words: UnsafePointer<UInt64>) -> Int? {
    if mask < 0 { return nil }
    let key = TextKey(text)
    var place = key.hash & mask
    while true {
      let entry = words + (entries + place * 4)
      if entry[0] == 0 { return nil }
      if entry[0] >> 32 == UInt64(key.length), entry[1] == key.head, entry[2] == key.tail,
        key.length <= 16 || Self.areEqual(text, words + Int(entry[3]))
      {
        return Int(entry[0] & 0xFFFF_FFFF) - 1
      }
      place = (place + 1) & mask
    }
  }

  func value(of text: String, in words: [UInt64]) -> Int? {
    words.withUnsafeBufferPointer { buffer in buffer.baseAddress.flatMap { value(of: text, in: $0) } }
  }

  @inline(never)
  private static func areEqual(_ text: String, _ words: UnsafePointer<UInt64>) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      guard let start = bytes.baseAddress else { return true }
      return memcmp(start, words, bytes.count) == 0
    }
  }
}
