/// A URI reference in its five parts, and how one resolves against another (RFC 3986, sections 5.2 and B).
///
/// Nothing is decoded or normalised but dot segments: two references are the same resource when they resolve to the same bytes.
struct SchemaURI: CustomStringConvertible {
  var scheme: Substring?
  var authority: Substring?
  var path: String
  var query: Substring?
  var fragment: Substring?

  /// What schemas and documents without an absolute URI of their own resolve against.
  static let base = SchemaURI("schema:///")

  init(_ text: String) {
    var rest = text[...]
    if let hash = rest.utf8.firstIndex(of: UInt8(ascii: "#")) {
      fragment = rest[rest.utf8.index(after: hash)...]
      rest = rest[..<hash]
    }
    if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
      query = rest[rest.utf8.index(after: mark)...]
      rest = rest[..<mark]
    }
    if let colon = rest.utf8.firstIndex(of: UInt8(ascii: ":")), Self.isScheme(rest[..<colon].utf8) {
      scheme = rest[..<colon]
      rest = rest[rest.utf8.index(after: colon)...]
    }
    if rest.utf8.starts(with: "//".utf8) {
      let start = rest.utf8.index(rest.startIndex, offsetBy: 2)
      let end = rest.utf8[start...].firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
      authority = rest[start..<end]
      rest = rest[end...]
    }
    path = String(rest)
  }

  static func isScheme(_ bytes: Substring.UTF8View) -> Bool {
    guard let first = bytes.first, (first | 0x20) &- 0x61 < 26 else { return false }
    return bytes.allSatisfy { ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }
  }

  var isAbsolute: Bool { scheme != nil }

  var withoutFragment: SchemaURI {
    var copy = self
    copy.fragment = nil
    return copy
  }

  /// What a reference names when it stands in this resource.
  func resolve(_ reference: SchemaURI) -> SchemaURI {
    var target = reference
    if target.scheme != nil {
      target.path = Self.removingDotSegments(target.path)
      return target
    }
    target.scheme = scheme
    if target.authority != nil {
      target.path = Self.removingDotSegments(target.path)
      return target
    }
    target.authority = authority
    if target.path.isEmpty {
      target.path = path
      target.query = target.query ?? query
    } else if target.path.utf8.first == UInt8(ascii: "/") {
      target.path = Self.removingDotSegments(target.path)
    } else {
      target.path = Self.removingDotSegments(merged(with: target.path))
    }
    return target
  }

  private func merged(with relative: String) -> String {
    if authority != nil, path.isEmpty { return "/" + relative }
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return relative }
    return path[...slash] + relative
  }

  static func removingDotSegments(_ path: String) -> String {
    guard path.utf8.contains(UInt8(ascii: ".")) else { return path }
    var output: [Substring] = []
    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      if segment == "." || segment == ".." {
        if segment == "..", let previous = output.last, !(output.count == 1 && previous.isEmpty) { output.removeLast() }
        if isLast { output.append("") }
      } else {
        output.append(segment)
      }
    }
    let joined = output.joined(separator: "/")
    return path.utf8.first == UInt8(ascii: "/") && joined.utf8.first != UInt8(ascii: "/") ? "/" + joined : joined
  }

  var description: String {
    (scheme.map { "\($0):" } ?? "") + (authority.map { "//\($0)" } ?? "") + path + (query.map { "?\($0)" } ?? "")
      + (fragment.map { "#\($0)" } ?? "")
  }
}

/// JSON pointers (RFC 6901).
enum JSONPointer {
  /// A pointer's last part for a member of that name.
  static func token(_ key: String) -> String {
    guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return "/" + key }
    var escaped = "/"
    for scalar in key.unicodeScalars {
      switch scalar {
      case "~": escaped += "~0"
      case "/": escaped += "~1"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  static func token(_ index: Int) -> String { "/\(index)" }

  /// The names and indices of a pointer; nil when it is not one.
  static func tokens(_ pointer: String) -> [String]? {
    if pointer.isEmpty { return [] }
    let parts = pointer.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts[0].isEmpty else { return nil }
    var tokens: [String] = []
    for part in parts.dropFirst() {
      var bytes: [UInt8] = []
      var rest = part
      while let byte = rest.popFirst() {
        if byte != UInt8(ascii: "~") {
          bytes.append(byte)
          continue
        }
        switch rest.popFirst() {
        case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
        case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
        default: return nil
        }
      }
      tokens.append(String(decoding: bytes, as: UTF8.self))
    }
    return tokens
  }

  /// One step: a member of an object or an element of an array.
  static func step(_ value: JSON, _ token: String) -> JSON? {
    switch value {
    case .object(let object): object[token]
    case .array(let array):
      Int(token).flatMap { array.indices.contains($0) && String($0).utf8.elementsEqual(token.utf8) ? array[$0] : nil }
    default: nil
    }
  }

  /// The bytes behind `%XX`, as text; nil when they are no well-formed UTF-8 or an escape is cut off.
  static func percentDecoded(_ text: Substring) -> String? {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8
    while let byte = rest.popFirst() {
      if byte != UInt8(ascii: "%") {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap({ hexDigit($0) }), let low = rest.popFirst().flatMap({ hexDigit($0) }) else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
