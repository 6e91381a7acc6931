internal import Glibc

/// Whether two texts are the same bytes.
///
/// Swift's `==` on `String` is canonical equivalence: it takes `é` and `e` + U+0301, or `K` and the Kelvin sign, for one
/// another. What the gate compares, hashes and shows must be the same bytes.
public func bytesEqual(_ a: String, _ b: String) -> Bool {
  let count = a.utf8.count
  if count != b.utf8.count { return false }
  let answer = a.utf8.withContiguousStorageIfAvailable { x in
    b.utf8.withContiguousStorageIfAvailable { y in
      // A buffer without bytes may have no address.
      if let x = x.baseAddress, let y = y.baseAddress { memcmp(x, y, count) == 0 } else { count == 0 }
    }
  }
  return (answer ?? nil) ?? a.utf8.elementsEqual(b.utf8)
}

/// Whether one text comes before the other, byte for byte.
public func bytesLess(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

/// A text that is compared, hashed and ordered by its UTF-8 bytes, for use as a key.
public struct ExactString: Hashable, Comparable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  /// The text itself.
  public let string: String

  /// Wraps a text.
  public init(_ string: String) { self.string = string }

  /// Wraps a literal.
  public init(stringLiteral value: String) { self.init(value) }

  /// Whether both are the same bytes.
  public static func == (a: ExactString, b: ExactString) -> Bool { bytesEqual(a.string, b.string) }

  /// Whether the first comes before the second, byte for byte.
  public static func < (a: ExactString, b: ExactString) -> Bool { bytesLess(a.string, b.string) }

  /// Feeds the bytes to the hasher.
  public func hash(into hasher: inout Hasher) {
    var text = string
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(0xFF as UInt8)
  }

  /// The text itself.
  public var description: String { string }
}
