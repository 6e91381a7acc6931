internal import Core

/// Secrets that connectors may use: resolved at the moment of a call, and blotted out of everything that comes back.
///
/// A header or URL names one as `${env:ERP_TOKEN}`; a program finds those whose names begin with `REMIT_TOOL_` in its environment.
public struct Secrets: Sendable {
  private let environment: [String: String]

  /// Secrets from an environment.
  public init(environment: [String: String]) { self.environment = environment }

  /// The text with its references replaced.
  ///
  /// - Returns: The text and the values that it holds now; nil where a reference names nothing, with the name in `missing`.
  func resolve(_ text: String, missing: inout String?) -> (text: String, used: [String])? {
    var result = ""
    var used: [String] = []
    var rest = Substring(text)
    while let start = rest.range(of: "${env:") {
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else { break }
      let name = String(rest[start.upperBound..<end])
      guard let value = environment[name], !value.isEmpty else {
        missing = name
        return nil
      }
      result += rest[..<start.lowerBound] + value
      used.append(value)
      rest = rest[rest.index(after: end)...]
    }
    return (result + rest, used)
  }

  /// The variables that programs of tools are given.
  var forPrograms: [String: String] { environment.filter { $0.key.hasPrefix("REMIT_TOOL_") } }

  /// The values that must not appear in what a program gives back: all that it is given but folders it works in.
  var valuesForPrograms: [String] { forPrograms.filter { $0.key != "REMIT_TOOL_STATE" }.map(\.value) }

  /// The bytes with every one of the values replaced, so that a tool that echoes a secret does not spread it.
  ///
  /// - Complexity: O(bytes × values).
  static func blot(_ bytes: [UInt8], _ values: [String]) -> [UInt8] {
    var bytes = bytes
    for value in values where value.utf8.count >= 4 {
      let needle = Array(value.utf8)
      var output: [UInt8] = []
      var place = 0
      while place < bytes.count {
        if bytes[place] == needle[0], place + needle.count <= bytes.count, bytes[place..<place + needle.count].elementsEqual(needle) {
          output.append(contentsOf: "[secret]".utf8)
          place += needle.count
        } else {
          output.append(bytes[place])
          place += 1
        }
      }
      bytes = output
    }
    return bytes
  }
}

extension Substring {
  /// The first place of a text, byte for byte.
  fileprivate func range(of needle: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].utf8.starts(with: needle.utf8) { return start..<utf8.index(start, offsetBy: needle.utf8.count) }
      start = index(after: start)
    }
    return nil
  }
}
