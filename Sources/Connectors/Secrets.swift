internal import Core

/// Secrets that connectors may use: resolved at the moment of a call, and blotted out of everything that comes back.
///
/// A header or URL names one as `${env:ERP_TOKEN}`, a header also as `{ secret: "ERP_TOKEN" }`; a program finds those whose names begin with
/// `REMIT_TOOL_` in its environment.
///
/// A value counts as a secret when it is used in a header or URL, or given to a program, and has eight bytes or more: what is shorter, such
/// as `true`, `1234` or `staging`, would blot out ordinary words and numbers, and is no secret worth the name.
public struct Secrets: Sendable {
  /// The fewest bytes of a value that counts as a secret.
  public static let shortest = 8
  private let environment: [String: String]

  /// Secrets from an environment.
  public init(environment: [String: String]) { self.environment = environment }

  /// A setting that is a text with references, or one reference.
  ///
  /// - Returns: The text and the values that it holds now; nil where a reference names nothing, with the name in `missing`.
  func resolve(_ setting: JSON, missing: inout String?) -> (text: String, used: [String])? {
    if let name = setting["secret"]?.stringValue { return resolve("${env:\(name)}", missing: &missing) }
    return resolve(setting.stringValue ?? "", missing: &missing)
  }

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

  /// What blots out the values that programs are given, all but the folder that they work in.
  var blotForPrograms: SecretBlot { SecretBlot(forPrograms.filter { $0.key != "REMIT_TOOL_STATE" }.map(\.value)) }
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
