extension StandardLibrary {
  /// The functions of the `strings` library, in which places are counted in code points.
  ///
  /// - SeeAlso: https://github.com/google/cel-go/blob/master/ext/README.md#strings
  static let stringExtensions: [Function] = [
    member("charAt", [[.int]], .string) { text, arguments throws(Failure) in
      let place = try place(arguments[0], in: text, name: "charAt")
      return .string(place == text.count ? "" : String(text[place]))
    },
    member("indexOf", [[.string], [.string, .int]], .int) { text, arguments throws(Failure) in
      guard case .string(let part) = arguments[0] else { throw noOverload("indexOf", arguments[0]) }
      let start = arguments.count > 1 ? try place(arguments[1], in: text, name: "indexOf") : 0
      return .int(Int64(firstPlace(of: Array(part.unicodeScalars), in: text, from: start) ?? -1))
    },
    member("lastIndexOf", [[.string], [.string, .int]], .int) { text, arguments throws(Failure) in
      guard case .string(let part) = arguments[0] else { throw noOverload("lastIndexOf", arguments[0]) }
      let start = arguments.count > 1 ? try place(arguments[1], in: text, name: "lastIndexOf") : text.count
      return .int(Int64(lastPlace(of: Array(part.unicodeScalars), in: text, from: start) ?? -1))
    },
    member("lowerAscii", [[]], .string) { text, _ throws(Failure) in
      .string(joined(text.map { ("A"..."Z").contains($0) ? Unicode.Scalar(UInt8($0.value) + 32) : $0 }))
    },
    member("upperAscii", [[]], .string) { text, _ throws(Failure) in
      .string(joined(text.map { ("a"..."z").contains($0) ? Unicode.Scalar(UInt8($0.value) - 32) : $0 }))
    },
    member("reverse", [[]], .string) { text, _ throws(Failure) in .string(joined(text.reversed())) },
    member("trim", [[]], .string) { text, _ throws(Failure) in
      guard let first = text.firstIndex(where: { !$0.properties.isWhitespace }),
        let last = text.lastIndex(where: { !$0.properties.isWhitespace })
      else { return .string("") }
      return .string(joined(text[first...last]))
    },
    member("substring", [[.int], [.int, .int]], .string) { text, arguments throws(Failure) in
      let start = try place(arguments[0], in: text, name: "substring")
      let end = arguments.count > 1 ? try place(arguments[1], in: text, name: "substring") : text.count
      guard start <= end else { throw Failure(.invalidArgument, "`substring` needs an end that is not before its start") }
      return .string(joined(text[start..<end]))
    },
    Function(
      "replace",
      [
        Overload([.string, .string, .string], .string, isMember: true),
        Overload([.string, .string, .string, .int], .string, isMember: true),
      ],
      .any { arguments, meter throws(Failure) in .string(try replace(arguments, &meter)) }),
    Function(
      "split",
      [Overload([.string, .string], .list(.string), isMember: true), Overload([.string, .string, .int], .list(.string), isMember: true)],
      .any { arguments, meter throws(Failure) in .list(try split(arguments, &meter)) }),
    Function(
      "join", [Overload([.list(.string)], .string, isMember: true), Overload([.list(.string), .string], .string, isMember: true)],
      .any { arguments, meter throws(Failure) in .string(try join(arguments, &meter)) }),
    Function(
      "strings.quote", [Overload([.string], .string)],
      .unary { x, meter throws(Failure) in
        guard case .string(let text) = x else { throw noOverload("strings.quote", x) }
        try meter.spend(bytes: text.utf8.count * 2)
        return .string(quote(text))
      }),
    Function(
      "format", [Overload([.string, .list(.dyn)], .string, isMember: true)],
      .binary { x, y, meter throws(Failure) in
        guard case .string(let text) = x, case .list(let arguments) = y else { throw noOverload("format", x, y) }
        return .string(try Formatter.format(text, arguments, &meter))
      }),
  ]

  /// A member of strings that works on code points.
  private static func member(
    _ name: String, _ signatures: [[CELType]], _ result: CELType,
    _ body: @escaping @Sendable ([Unicode.Scalar], [CELValue]) throws(Failure) -> CELValue
  ) -> Function {
    Function(
      name, signatures.map { Overload([.string] + $0, result, isMember: true) },
      .any { arguments, meter throws(Failure) in
        guard case .string(let text) = arguments[0] else { throw noOverload(name, arguments[0]) }
        // A code point takes some steps more than a byte that is only compared.
        try meter.spend(1 + text.utf8.count / 4)
        return try body(Array(text.unicodeScalars), Array(arguments.dropFirst()))
      })
  }

  private static func joined(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  private static func place(_ value: CELValue, in text: [Unicode.Scalar], name: String) throws(Failure) -> Int {
    guard case .int(let number) = value else { throw noOverload(name, value) }
    guard (0...Int64(text.count)).contains(number) else { throw Failure(.invalidArgument, "`\(name)` was given a place outside the text") }
    return Int(number)
  }

  private static func firstPlace(of part: [Unicode.Scalar], in text: [Unicode.Scalar], from start: Int) -> Int? {
    if part.isEmpty { return start }
    // Searched in UTF-8, where the search takes linear time; the bytes before the place are then counted back.
    let (bytes, needle) = (Array(joined(text[start...]).utf8), Array(joined(part).utf8))
    let found = bytes.withUnsafeBufferPointer { text in needle.withUnsafeBufferPointer { find($0, in: text) } }
    return found.map { start + bytes[..<$0].count { $0 & 0xC0 != 0x80 } }
  }

  private static func lastPlace(of part: [Unicode.Scalar], in text: [Unicode.Scalar], from start: Int) -> Int? {
    guard text.count >= part.count else { return nil }
    let last = min(start, text.count - part.count)
    if part.isEmpty { return start }
    let reversed = Array(text[..<(last + part.count)].reversed())
    return firstPlace(of: part.reversed(), in: reversed, from: 0).map { last - $0 }
  }

  /// The places of a text in another that do not overlap, from the left.
  private static func places(of part: [UInt8], in text: [UInt8], limit: Int) -> [Int] {
    var places: [Int] = []
    var start = 0
    text.withUnsafeBufferPointer { text in
      part.withUnsafeBufferPointer { part in
        while places.count < limit, let place = find(part, in: text, from: start) {
          places.append(place)
          start = place + part.count
        }
      }
    }
    return places
  }

  private static func limit(_ arguments: [CELValue], at index: Int, name: String) throws(Failure) -> Int {
    guard arguments.count > index else { return .max }
    guard case .int(let number) = arguments[index] else { throw noOverload(name, arguments[index]) }
    return number < 0 ? .max : Int(number)
  }

  private static func replace(_ arguments: [CELValue], _ meter: inout Meter) throws(Failure) -> String {
    guard case .string(let text) = arguments[0], case .string(let old) = arguments[1], case .string(let new) = arguments[2] else {
      throw noOverload("replace", arguments[0], arguments[1], arguments[2])
    }
    let limit = try limit(arguments, at: 3, name: "replace")
    try meter.spend(bytes: text.utf8.count)
    if old.isEmpty {
      // Before every code point, and after the last.
      let scalars = Array(text.unicodeScalars)
      try meter.spend(bytes: text.utf8.count + min(limit, scalars.count + 1) * new.utf8.count)
      var result = ""
      for (place, scalar) in scalars.enumerated() {
        if place < limit { result += new }
        result.unicodeScalars.append(scalar)
      }
      return limit > scalars.count ? result + new : result
    }
    let (bytes, part) = (Array(text.utf8), Array(old.utf8))
    let places = places(of: part, in: bytes, limit: limit)
    try meter.spend(bytes: bytes.count + places.count * new.utf8.count)
    var result: [UInt8] = []
    var start = 0
    for place in places {
      result += bytes[start..<place]
      result += new.utf8
      start = place + part.count
    }
    result += bytes[start...]
    return String(decoding: result, as: UTF8.self)
  }

  private static func split(_ arguments: [CELValue], _ meter: inout Meter) throws(Failure) -> [CELValue] {
    guard case .string(let text) = arguments[0], case .string(let separator) = arguments[1] else {
      throw noOverload("split", arguments[0], arguments[1])
    }
    let limit = try limit(arguments, at: 2, name: "split")
    try meter.spend(bytes: text.utf8.count)
    if limit == 0 { return [] }
    if separator.isEmpty {
      let scalars = Array(text.unicodeScalars)
      try meter.spend(scalars.count)
      guard scalars.count > limit else { return scalars.map { .string(String($0)) } }
      return scalars[..<(limit - 1)].map { .string(String($0)) } + [.string(joined(scalars[(limit - 1)...]))]
    }
    let (bytes, part) = (Array(text.utf8), Array(separator.utf8))
    let places = places(of: part, in: bytes, limit: limit - 1)
    try meter.spend(places.count)
    var result: [CELValue] = []
    var start = 0
    for place in places {
      result.append(.string(String(decoding: bytes[start..<place], as: UTF8.self)))
      start = place + part.count
    }
    return result + [.string(String(decoding: bytes[start...], as: UTF8.self))]
  }

  private static func join(_ arguments: [CELValue], _ meter: inout Meter) throws(Failure) -> String {
    guard case .list(let elements) = arguments[0] else { throw noOverload("join", arguments[0]) }
    var separator = ""
    if arguments.count > 1 {
      guard case .string(let text) = arguments[1] else { throw noOverload("join", arguments[0], arguments[1]) }
      separator = text
    }
    var result = ""
    for (place, element) in elements.enumerated() {
      guard case .string(let text) = element else { throw Failure(.noSuchOverload, "`join` needs a list of strings") }
      try meter.spend(bytes: text.utf8.count + separator.utf8.count)
      if place > 0 { result += separator }
      result += text
    }
    return result
  }

  /// The text as a literal in double quotes.
  private static func quote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\u{07}": result += "\\a"
      case "\u{08}": result += "\\b"
      case "\u{0C}": result += "\\f"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{0B}": result += "\\v"
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
