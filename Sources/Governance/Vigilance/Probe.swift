public import Audit
internal import Core
internal import PolicyEngine

/// A planted copy of a proposal that waits, with something wrong in it: it shows whether its reviewers look, and can never be carried out.
///
/// In the log and on the screen it is a held proposal like any other. Only the sealed content of its entry says what it is, and once somebody
/// has decided on it the decision says so too.
public struct Probe: Sendable {
  /// The proposal that it was made from.
  let original: String
  /// What is wrong, as a JSON pointer into the arguments.
  let changed: String
  /// Who planted it, a principal.
  let by: String

  /// An id for a probe that has the form of its original's: one that follows from what a proposal is for, or one by time.
  static func id(like original: String, fresh: String) -> String {
    let derived = 16
    guard original.utf8.count == 2 + derived else { return fresh }
    return "p-" + SHA256.hash(fresh).hex.prefix(derived)
  }

  /// The content part that every held proposal of a run has.
  static func seal(_ probe: Probe?) -> Content {
    var object: JSONObject = [:]
    if let probe {
      object["by"] = .string(probe.by)
      object["changed"] = .string(probe.changed)
      object["original"] = .string(probe.original)
    }
    object["probe"] = .bool(probe != nil)
    return Content(ContentPart.seal, JSON.object(object).canonicalBytesRounding())
  }

  /// Whether an entry is that of a probe; true as well where nobody can say any more, because the seal was redacted.
  ///
  /// - Throws: `JSONError` for a seal that is not JSON.
  public static func isSealed(in entry: Entry) throws -> Bool {
    guard entry.content.contains(where: { $0.part == ContentPart.seal }) else { return false }
    guard let bytes = entry.content(ContentPart.seal) else { return true }
    return try JSONView.parse(bytes)["probe"]?.boolValue ?? true
  }

  /// Arguments with something wrong in them: where the effect goes, if the tool says which arguments do; else an amount, else a text.
  ///
  /// - Parameters:
  ///   - arguments: The arguments of a call.
  ///   - sinks: The arguments that say where the effect goes.
  ///   - random: Chooses what is changed, and how.
  /// - Returns: The changed arguments and a pointer to the change; nil where there is nothing to change.
  static func spoiled(
    _ arguments: JSONObject, sinks: [String], _ random: inout some RandomNumberGenerator
  ) -> (arguments: JSONObject, pointer: String)? {
    let leaves = ArgumentLeaf.all(of: .object(arguments))
    let aims = leaves.filter { leaf in sinks.contains { bytesEqual($0, leaf.path[0]) } }
    let amounts = leaves.filter { if case .number = $0.value { true } else { false } }
    for candidates in [aims, amounts, leaves] where !candidates.isEmpty {
      for leaf in candidates.shuffled(using: &random) {
        guard let value = spoiled(leaf.value, &random) else { continue }
        let changed = JSON.object(arguments).replacing(leaf.path[...], by: value)
        return changed.objectValue.map { ($0, "/" + leaf.path.joined(separator: "/")) }
      }
    }
    return nil
  }

  /// A value that a careful reader tells from the right one: two characters that changed places, ten times the amount.
  private static func spoiled(_ value: JSON, _ random: inout some RandomNumberGenerator) -> JSON? {
    switch value {
    case .number(let number):
      if let whole = number.int64, whole != 0, abs(whole) < Int64.max / 10 { return .int(Int(whole) * 10) }
      return nil
    case .string(let text):
      var characters = Array(text)
      let places = characters.indices.dropLast().filter { place in
        let (a, b) = (characters[place], characters[place + 1])
        return a != b && (a.isNumber && b.isNumber || a.isLetter && b.isLetter && a.isUppercase == b.isUppercase)
      }
      guard let place = places.randomElement(using: &random) else { return nil }
      characters.swapAt(place, place + 1)
      return .string(String(characters))
    default: return nil
    }
  }
}

/// A value inside others that has none inside itself.
private struct ArgumentLeaf {
  let path: [String]
  let value: JSON

  static func all(of value: JSON, at path: [String] = []) -> [ArgumentLeaf] {
    switch value {
    case .object(let object): object.flatMap { all(of: $0.value, at: path + [$0.key]) }
    case .array(let elements): elements.enumerated().flatMap { all(of: $0.element, at: path + ["\($0.offset)"]) }
    default: path.isEmpty ? [] : [ArgumentLeaf(path: path, value: value)]
    }
  }
}

extension JSON {
  /// The same with another value at a place.
  fileprivate func replacing(_ path: ArraySlice<String>, by value: JSON) -> JSON {
    guard let first = path.first else { return value }
    switch self {
    case .object(var object):
      object[first] = object[first]?.replacing(path.dropFirst(), by: value)
      return .object(object)
    case .array(var elements):
      guard let index = Int(first), elements.indices.contains(index) else { return self }
      elements[index] = elements[index].replacing(path.dropFirst(), by: value)
      return .array(elements)
    default: return self
    }
  }
}
