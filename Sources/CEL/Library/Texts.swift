internal import Core
internal import Glibc

extension StandardLibrary {
  static let texts: [Function] = [
    Function(
      "size",
      [.string, .bytes, .list(a), .map(a, b)].flatMap { [Overload([$0], .int), Overload([$0], .int, isMember: true)] },
      .unary { x, meter throws(Failure) in .int(try size(x, &meter)) }),
    predicate("startsWith") { text, part in text.starts(with: part) },
    predicate("endsWith") { text, part in
      text.count >= part.count && UnsafeBufferPointer(rebasing: text.suffix(part.count)).elementsEqual(part)
    },
    predicate("contains") { text, part in find(part, in: text) != nil },
    Function(
      "matches", [Overload([.string, .string], .bool), Overload([.string, .string], .bool, isMember: true)],
      .binary { x, y, meter throws(Failure) in
        guard case .string(let text) = x, case .string(let pattern) = y else { throw noOverload("matches", x, y) }
        return .bool(try matches(text, compilePattern(pattern, &meter), &meter))
      }),
  ]

  /// A pattern that is known only at evaluation is charged as the largest one that there can be.
  static func compilePattern(_ pattern: String, _ meter: inout Meter) throws(Failure) -> LinearRegex {
    try meter.spend(LinearRegex.maximumProgramSize)
    do throws(Diagnostic) {
      return try LinearRegex(pattern, dialect: .re2)
    } catch {
      throw Failure(.invalidArgument, "`matches` needs a regular expression in RE2 syntax")
    }
  }

  static func matches(_ text: String, _ pattern: LinearRegex, _ meter: inout Meter) throws(Failure) -> Bool {
    try meter.spend { steps in withBytes(text) { pattern.contains(in: $0, steps: &steps) } }
  }

  /// The number of code points, bytes, elements or entries.
  static func size(_ value: CELValue, _ meter: inout Meter) throws(Failure) -> Int64 {
    switch value {
    case .string(let text):
      try meter.spend(bytes: text.utf8.count)
      return Int64(text.unicodeScalars.count)
    case .bytes(let bytes): return Int64(bytes.count)
    case .list(let list): return Int64(list.count)
    case .map(let map): return Int64(map.count)
    default: throw noOverload("size", value)
    }
  }

  private static func predicate(
    _ name: String, _ holds: @escaping @Sendable (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Bool
  ) -> Function {
    Function(
      name, [Overload([.string, .string], .bool, isMember: true)],
      .binary { x, y, meter throws(Failure) in
        guard case .string(let text) = x, case .string(let part) = y else { throw noOverload(name, x, y) }
        try meter.spend(bytes: text.utf8.count)
        return .bool(withBytes(text) { text in withBytes(part) { part in holds(text, part) } })
      })
  }

  /// The place of the first occurrence of a part.
  ///
  /// - Complexity: O(n + m) for n and m bytes.
  /// - SeeAlso: D. Knuth, J. Morris, V. Pratt, "Fast pattern matching in strings", 1977, doi:10.1137/0206024.
  static func find(_ part: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> Int? {
    guard let first = part.first, let needle = part.baseAddress, let base = text.baseAddress else { return part.isEmpty ? start : nil }
    guard text.count - start >= part.count else { return nil }
    if part.count <= 16 {
      // Few enough to compare at every place where the first byte is.
      for place in start...(text.count - part.count) where text[place] == first && memcmp(base + place, needle, part.count) == 0 {
        return place
      }
      return nil
    }
    // For each length that agrees, the longest shorter one that does.
    var fallback = Array(repeating: 0, count: part.count)
    var length = 0
    for index in 1..<part.count {
      while length > 0, part[index] != part[length] { length = fallback[length - 1] }
      if part[index] == part[length] { length += 1 }
      fallback[index] = length
    }
    length = 0
    for index in start..<text.count {
      while length > 0, text[index] != part[length] { length = fallback[length - 1] }
      if text[index] == part[length] { length += 1 }
      if length == part.count { return index - length + 1 }
    }
    return nil
  }
}
