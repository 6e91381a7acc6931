/// Comparing and interning names by their UTF-8 bytes.
///
/// Swift's own string equality is canonical equivalence, under which two names that a log tells apart can be one.
enum Names {
  /// Whether `a` comes before `b` byte for byte.
  static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

  /// Whether `a` and `b` are the same bytes.
  static func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

  /// Whether so many bytes are the same in two places.
  @inline(__always)
  static func same(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let (a, b) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
    if count < 8 {
      for offset in 0..<count where a.load(fromByteOffset: offset, as: UInt8.self) != b.load(fromByteOffset: offset, as: UInt8.self) {
        return false
      }
      return true
    }
    var place = 0
    while place + 8 <= count {
      if a.loadUnaligned(fromByteOffset: place, as: UInt64.self) != b.loadUnaligned(fromByteOffset: place, as: UInt64.self) { return false }
      place += 8
    }
    return a.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) == b.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
  }
}

/// Gives each distinct byte string a small number, in order of first appearance.
///
/// An open-addressing table over one byte arena: no allocation a name, no canonical equivalence. The hash is seeded per process, so
/// crafted names cannot make it slow; the seed never shows, since numbers depend on the order of arrival alone.
struct NameTable: Sendable {
  private var arena: [UInt8] = []
  private var ends: [Int] = []
  /// Number of the name + 1 by hash; 0 is free.
  ///
  /// The size is a power of two and at least twice the number of names.
  private var slots: [UInt32] = Array(repeating: 0, count: 64)
  /// Number + 1 of the name that was seen last under a hash of a few of its bytes: most names come back soon, and need no better hash.
  private var recent: [UInt32] = Array(repeating: 0, count: 256)

  var count: Int { ends.count }

  /// The number of `name`, a new one when it was not seen before.
  ///
  /// - Complexity: O(length) expected.
  mutating func intern(_ name: String) -> UInt32 {
    var name = name
    return name.withUTF8 { intern($0) }
  }

  /// The number of the name with these bytes, a new one when they were not seen before.
  mutating func intern(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let glance = Self.glance(bytes)
    let last = recent[glance]
    if last != 0, holds(Int(last) - 1, bytes) { return last - 1 }
    let number = look(bytes)
    recent[glance] = number + 1
    return number
  }

  private mutating func look(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    var slot = Self.hash(bytes) & (slots.count - 1)
    while slots[slot] != 0 {
      if holds(Int(slots[slot]) - 1, bytes) { return slots[slot] - 1 }
      slot = (slot + 1) & (slots.count - 1)
    }
    arena.append(contentsOf: bytes)
    ends.append(arena.count)
    slots[slot] = UInt32(ends.count)
    if ends.count * 2 > slots.count { grow() }
    return UInt32(ends.count - 1)
  }

  /// Bytes of all names.
  var byteCount: Int { arena.count }

  /// The name of a number.
  func string(_ number: Int) -> String { String(decoding: arena[start(number)..<ends[number]], as: UTF8.self) }

  /// All names by number.
  func strings() -> [String] {
    (0..<count).map { String(decoding: arena[start($0)..<ends[$0]], as: UTF8.self) }
  }

  private func start(_ number: Int) -> Int { number == 0 ? 0 : ends[number - 1] }

  private func holds(_ number: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let from = start(number)
    guard ends[number] - from == bytes.count else { return false }
    return arena.withUnsafeBufferPointer { all in
      guard let known = all.baseAddress, let start = bytes.baseAddress else { return bytes.isEmpty }
      return Names.same(known + from, start, bytes.count)
    }
  }

  /// A number below 256 from the length and up to sixteen of the bytes.
  @inline(__always)
  private static func glance(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    guard let start = bytes.baseAddress else { return 0 }
    var mix = UInt64(truncatingIfNeeded: bytes.count)
    if bytes.count >= 8 {
      let raw = UnsafeRawPointer(start)
      mix ^=
        raw.loadUnaligned(as: UInt64.self) ^ raw.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self) &* 0x9E37_79B9_7F4A_7C15
    } else {
      for byte in bytes { mix = mix &* 31 &+ UInt64(byte) }
    }
    return Int((mix &* 0x9E37_79B9_7F4A_7C15) &>> 56)
  }

  private mutating func grow() {
    var larger = [UInt32](repeating: 0, count: slots.count * 2)
    let mask = larger.count - 1
    arena.withUnsafeBufferPointer { all in
      for number in 0..<ends.count {
        let from = number == 0 ? 0 : ends[number - 1]
        var slot = Self.hash(UnsafeBufferPointer(rebasing: all[from..<ends[number]])) & mask
        while larger[slot] != 0 { slot = (slot + 1) & mask }
        larger[slot] = UInt32(number + 1)
      }
    }
    slots = larger
  }

  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
    return hasher.finalize() & Int.max
  }
}
