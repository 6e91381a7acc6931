extension RegexParser {
  enum Escape {
    case scalar(UInt32)
    case set(ScalarSet)
    case assertion(RegexAssertion)
    /// `\Q…\E`
    case quotation([UInt32])
  }

  /// Reads an escape whose backslash, at `start`, has been consumed.
  mutating func escape(inClass: Bool, from start: Int) throws(Diagnostic) -> Escape {
    guard let next = peek else { throw fault("regex-escape", at: start, "the pattern ends in a backslash") }
    index += 1
    switch next {
    case "d": return .set(folded(.asciiDigits))
    case "D": return .set(folded(.asciiDigits).inverted)
    case "w": return .set(folded(.asciiWord))
    case "W": return .set(folded(.asciiWord).inverted)
    case "s": return .set(dialect.space)
    case "S": return .set(dialect.space.inverted)
    case "p", "P": return .set(try property(negated: next == "P", from: start))
    case "b" where inClass && dialect == .ecma: return .scalar(8)
    case "b" where !inClass: return .assertion(.wordBoundary)
    case "B" where !inClass: return .assertion(.notWordBoundary)
    case "t": return .scalar(9)
    case "n": return .scalar(10)
    case "v": return .scalar(11)
    case "f": return .scalar(12)
    case "r": return .scalar(13)
    case "x": return .scalar(try hexadecimal(from: start))
    default: break
    }
    if next.isASCII, !next.properties.isAlphabetic, next.properties.numericType == nil, next.value > 0x20, next.value < 0x7F {
      // Punctuation stands for itself. (ECMAScript with `u` allows that only for its own signs; the rest cannot be misread.)
      return .scalar(next.value)
    }
    switch dialect {
    case .re2: return try re2Escape(next, inClass: inClass, from: start)
    case .ecma: return try ecmaEscape(next, from: start)
    }
  }

  private mutating func re2Escape(_ next: Unicode.Scalar, inClass: Bool, from start: Int) throws(Diagnostic) -> Escape {
    switch next {
    case "a": return .scalar(7)
    case "A" where !inClass: return .assertion(.textStart)
    case "z" where !inClass: return .assertion(.textEnd)
    case "Q" where !inClass:
      var quoted: [UInt32] = []
      while index < scalars.count, !(peek == "\\" && peek(1) == "E") {
        quoted.append(scalars[index])
        index += 1
      }
      index = min(index + 2, scalars.count)
      return .quotation(quoted)
    case "0", "1", "2", "3", "4", "5", "6", "7":
      // One non-zero digit alone would be a backreference; `\0` and two or three octal digits are a code point.
      var value = next.value - 0x30
      var digits = 1
      while digits < 3, let digit = peek, ("0"..."7").contains(digit) {
        value = value * 8 + digit.value - 0x30
        index += 1
        digits += 1
      }
      if next == "0" || digits > 1 { return .scalar(value) }
      throw backreference(start)
    case "8", "9": throw backreference(start)
    default: throw unknownEscape(next, start)
    }
  }

  private mutating func ecmaEscape(_ next: Unicode.Scalar, from start: Int) throws(Diagnostic) -> Escape {
    switch next {
    case "0":
      if let digit = peek, ("0"..."9").contains(digit) {
        throw fault("regex-escape", at: start, "`\\0` cannot be followed by a digit", hint: "write the code point as `\\u{…}`")
      }
      return .scalar(0)
    case "1"..."9", "k": throw backreference(start)
    case "c":
      guard let letter = peek, letter.isASCII, letter.properties.isAlphabetic else {
        throw fault("regex-escape", at: start, "`\\c` needs a letter")
      }
      index += 1
      return .scalar(letter.value & 0x1F)
    case "u":
      if take("{") { return .scalar(try bracedHexadecimal(from: start)) }
      guard let unit = hexDigits(4) else { throw fault("regex-escape", at: start, "`\\u` needs four hexadecimal digits or `{…}`") }
      if (0xD800...0xDBFF).contains(unit), peek == "\\", peek(1) == "u" {
        let mark = index
        index += 2
        if let low = hexDigits(4), (0xDC00...0xDFFF).contains(low) {
          return .scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        }
        index = mark
      }
      return .scalar(unit)
    default: throw unknownEscape(next, start)
    }
  }

  private func folded(_ set: ScalarSet) -> ScalarSet { flags.ignoreCase ? set.caseFolded : set }

  private func backreference(_ start: Int) -> Diagnostic {
    fault("regex-backreference", at: start, "backreferences are not supported", hint: "they cannot be matched in linear time")
  }

  private func unknownEscape(_ next: Unicode.Scalar, _ start: Int) -> Diagnostic {
    let literal = visible(String(next))
    let hint = next.properties.isAlphabetic ? "for the letter itself write `\(literal)` without the backslash" : nil
    return fault("regex-escape", at: start, "`\\\(literal)` is not an escape in this dialect", hint: hint)
  }

  // MARK: Code points

  private mutating func hexadecimal(from start: Int) throws(Diagnostic) -> UInt32 {
    if dialect == .re2, take("{") { return try bracedHexadecimal(from: start) }
    guard let value = hexDigits(2) else { throw fault("regex-escape", at: start, "`\\x` needs two hexadecimal digits") }
    return value
  }

  private mutating func bracedHexadecimal(from start: Int) throws(Diagnostic) -> UInt32 {
    var value: UInt32 = 0
    var digits = 0
    while let digit = peek.flatMap({ hexValue($0) }), value <= ScalarSet.lastCodePoint {
      value = value << 4 | digit
      index += 1
      digits += 1
    }
    guard digits > 0, value <= ScalarSet.lastCodePoint, take("}") else {
      throw fault("regex-escape", at: start, "the braces need a code point in hexadecimal, at most 10FFFF")
    }
    return value
  }

  private mutating func hexDigits(_ count: Int) -> UInt32? {
    var value: UInt32 = 0
    for ahead in 0..<count {
      guard let digit = peek(ahead).flatMap({ hexValue($0) }) else { return nil }
      value = value << 4 | digit
    }
    index += count
    return value
  }

  private func hexValue(_ scalar: Unicode.Scalar) -> UInt32? {
    switch scalar {
    case "0"..."9": scalar.value - 0x30
    case "a"..."f": scalar.value - 0x61 + 10
    case "A"..."F": scalar.value - 0x41 + 10
    default: nil
    }
  }

  // MARK: Properties

  /// Reads what follows `\p` or `\P`.
  private mutating func property(negated: Bool, from start: Int) throws(Diagnostic) -> ScalarSet {
    var negated = negated
    var name = ""
    if take("{") {
      if dialect == .re2, take("^") { negated.toggle() }
      while let next = peek, next != "}" {
        name.unicodeScalars.append(next)
        index += 1
      }
      guard take("}") else { throw fault("regex-property", at: start, "`\\p{` is never closed") }
    } else if dialect == .re2, let letter = peek {
      name = String(letter)
      index += 1
    } else {
      throw fault("regex-property", at: start, "`\\p` needs a name in braces, such as `\\p{Letter}`")
    }
    guard let set = propertySet(name) else { throw unknownProperty(name, start) }
    return negated ? folded(set).inverted : folded(set)
  }

  private func propertySet(_ name: String) -> ScalarSet? {
    if dialect == .re2 {
      return name == "Any" ? .any : UnicodeClasses.category(named: name, longNames: false) ?? ScriptRanges.set(named: name)
    }
    let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      return UnicodeClasses.category(named: name, longNames: true) ?? UnicodeClasses.binaryProperty(named: name)
    }
    return switch parts[0] {
    case "General_Category", "gc": UnicodeClasses.category(named: parts[1], longNames: true)
    case "Script", "sc": ScriptRanges.set(named: parts[1])
    default: nil
    }
  }

  private func unknownProperty(_ name: String, _ start: Int) -> Diagnostic {
    let known =
      UnicodeClasses.categoryNames
      + (dialect == .re2 ? ScriptRanges.names : UnicodeClasses.binaryPropertyNames + ScriptRanges.names.map { "Script=\($0)" })
    return fault(
      "regex-property", at: start, "`\(visible(name))` is not a character property known here",
      hint: nearestName(to: name, in: known).map { "did you mean `\($0)`?" }
        ?? "general categories such as `L` and `Nd`, and the main scripts, are")
  }
}
