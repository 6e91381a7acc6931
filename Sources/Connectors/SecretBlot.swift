internal import Core

/// Replaces secrets in what a tool gives back, so that one that echoes them does not spread them.
///
/// A result is parsed first: its structure stays as it is, and how its strings are escaped does not matter.
struct SecretBlot: Sendable {
  private static let mark = "[secret]"
  private let values: [[UInt8]]
  /// The values as they stand inside JSON strings, where that is something else: for output that is no JSON as a whole.
  private let escaped: [[UInt8]]

  /// A blot for those of the values that count as secrets.
  init(_ values: [String]) {
    let secrets = values.filter { $0.utf8.count >= Secrets.shortest }
    self.values = secrets.map { Array($0.utf8) }
    escaped = secrets.flatMap { secret -> [[UInt8]] in
      let written = JSON.string(secret).text().dropFirst().dropLast()
      return [String(written), String(written).replacing("/", with: "\\/")].filter { !bytesEqual($0, secret) }.map { Array($0.utf8) }
    }
  }

  /// The value without secrets in its strings and keys, and without numbers that are one.
  ///
  /// - Complexity: O(bytes × secrets).
  func json(_ value: JSON) -> JSON {
    if values.isEmpty { return value }
    switch value {
    case .null, .bool: return value
    case .number(let number): return values.contains { $0.elementsEqual(number.text.utf8) } ? .string(Self.mark) : value
    case .string(let string): return .string(text(string))
    case .array(let elements): return .array(elements.map { json($0) })
    case .object(let members): return .object(JSONObject(members.map { (text($0.key), json($0.value)) }))
    }
  }

  /// The text without secrets.
  func text(_ text: String) -> String { String(decoding: blotted(Array(text.utf8), values), as: UTF8.self) }

  /// The text of output that may be anything.
  func text(of output: [UInt8]) -> String {
    if !values.isEmpty, let value = try? JSON.parse(output) { return json(value).text() }
    return String(decoding: blotted(output, values + escaped), as: UTF8.self)
  }

  /// The bytes with everything that belongs to a secret replaced, where secrets overlap or hold one another all of them together.
  private func blotted(_ bytes: [UInt8], _ secrets: [[UInt8]]) -> [UInt8] {
    var covered: [Range<Int>] = []
    for secret in secrets where bytes.count >= secret.count {
      for place in 0...(bytes.count - secret.count) where bytes[place] == secret[0] {
        let range = place..<(place + secret.count)
        if bytes[range].elementsEqual(secret) { covered.append(range) }
      }
    }
    if covered.isEmpty { return bytes }
    var output: [UInt8] = []
    var place = 0
    for range in covered.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound >= place {
        output += bytes[place..<range.lowerBound]
        output += Self.mark.utf8
      }
      place = max(place, range.upperBound)
    }
    return output + bytes[place...]
  }
}
