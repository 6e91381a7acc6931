/// From the texts of a rule set to small numbers, by their bytes.
///
/// A text of up to 16 bytes is compared as two words and its length, without touching memory of its own; longer ones are compared in
/// full. The keys come from files that people write and never from requests, so the plain hash invites no collisions.
struct StringTable: Sendable {
  private struct Entry: Sendable {
    var key: Key
    var text: String
    var value: Int32
  }

  private struct Key: Equatable, Sendable {
    var length: Int
    var head: UInt64
    var tail: UInt64

    var hash: UInt64 {
      let mixed = (head ^ (tail &* 0x9E37_79B9_7F4A_7C15) ^ UInt64(truncatingIfNeeded: length)) &* 0xFF51_AFD7_ED55_8CCD
      return mixed ^ (mixed >> 32)
    }
  }

  private var entries: [Entry] = []
  /// Places in `entries`, open addressing, -1 where free; a power of two, at least twice as many as there are entries.
  private var buckets: [Int32] = [-1, -1]

  var count: Int { entries.count }
  var texts: [String] { entries.map(\.text) }

  /// The number of a text, or nil when it is not in the table.
  ///
  /// - Complexity: O(length of the text).
  func value(of text: String) -> Int? {
    let key = Self.key(of: text)
    var place = Int(truncatingIfNeeded: key.hash) & (buckets.count - 1)
    while true {
      let index = Int(buckets[place])
      if index < 0 { return nil }
      if entries[index].key == key, key.length <= 16 || entries[index].text.utf8.elementsEqual(text.utf8) {
        return Int(entries[index].value)
      }
      place = (place + 1) & (buckets.count - 1)
    }
  }

  /// Adds a text with a number, unless it is there: then its number is answered and nothing changes.
  @discardableResult
  mutating func insert(_ text: String, value: Int) -> Int {
    if let old = self.value(of: text) { return old }
    entries.append(Entry(key: Self.key(of: text), text: text, value: Int32(value)))
    if entries.count * 2 > buckets.count { buckets = Array(repeating: -1, count: buckets.count * 2) }
    if buckets.allSatisfy({ $0 < 0 }) {
      for index in entries.indices { place(index) }
    } else {
      place(entries.count - 1)
    }
    return value
  }

  /// Adds a text with the next number, counted from 0.
  @discardableResult
  mutating func insert(_ text: String) -> Int { insert(text, value: count) }

  private mutating func place(_ index: Int) {
    var place = Int(truncatingIfNeeded: entries[index].key.hash) & (buckets.count - 1)
    while buckets[place] >= 0 { place = (place + 1) & (buckets.count - 1) }
    buckets[place] = Int32(index)
  }

  @inline(__always)
  private static func key(of text: String) -> Key {
    let key = text.utf8.withContiguousStorageIfAvailable { Self.key(ofBytes: UnsafeRawBufferPointer($0)) }
    return key ?? Array(text.utf8).withUnsafeBytes { Self.key(ofBytes: $0) }
  }

  /// The first and the last eight bytes, which overlap in texts of up to 16; shorter texts are filled up with zeros, which the length tells
  /// from zeros of their own.
  @inline(__always)
  private static func key(ofBytes bytes: UnsafeRawBufferPointer) -> Key {
    let length = bytes.count
    if length >= 8 {
      return Key(
        length: length, head: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
        tail: bytes.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self))
    }
    if length >= 4 {
      return Key(
        length: length, head: UInt64(bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)),
        tail: UInt64(bytes.loadUnaligned(fromByteOffset: length - 4, as: UInt32.self)))
    }
    var head: UInt64 = 0
    for byte in bytes { head = head << 8 | UInt64(byte) }
    return Key(length: length, head: head, tail: 0)
  }
}
