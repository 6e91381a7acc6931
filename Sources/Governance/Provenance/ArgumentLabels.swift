public import Core

/// A call as far as tracing needs it.
public struct TracedCall: Sendable {
  /// The tool's name.
  public let tool: String
  /// The arguments.
  public let arguments: JSONObject
  /// The arguments that say where the effect goes.
  public let sinks: [String]
  /// The JSON Schema of the arguments, for the choices that it lists.
  public let schema: JSON?

  /// Makes a call from its parts.
  public init(tool: String, arguments: JSONObject, sinks: [String], schema: JSON? = nil) {
    self.tool = tool
    self.arguments = arguments
    self.sinks = sinks
    self.schema = schema
  }
}

extension ProvenanceIndex {
  /// The members of ``labels(of:)``.
  static let labelGroups = ["args", "sinks", "payload", "context"]

  /// What rules see of a call's arguments: the members of `labels`.
  ///
  /// - `args.<name>`: `{trusted, vouched, by, origin}` of the whole argument, as the weakest of its values: `by` is its ``Vouching`` or
  ///   `nobody`, `origin` the same for people, and `trusted` whether it is somebody's word.
  ///   Where somebody's endorsement is what makes it trusted, `endorsement` is its entry, here and below.
  /// - `sinks`: for each value that says where the effect goes `{arg, pointer, text, reference, switch, trusted, vouched, by, origin}`:
  ///   `reference` where its key says that it identifies something, `switch` where it is `true`.
  /// - `payload`: for each other value `{arg, pointer, reference, switch, trusted, vouched, by, outside, private, targets}`: `outside`
  ///   where nobody vouches for it and it quotes a longer text from outside, `private` where it repeats a confidential result, `targets`
  ///   a list of `{text, trusted, vouched, by, origin}` for each contact in its text.
  /// - `context.complete`: whether all that the run was told could be kept and looked at.
  /// - `context.repeated`: whether the very same call was made before.
  /// - `context.clean`: whether no prose from outside has been seen.
  /// - `context.disguised`: whether the payload spells out, in whatever disguise, the host of a contact that only text from outside names.
  ///
  /// - Complexity: O(values of the call × text from outside), O(values) where the request and trusted systems name them.
  public func labels(of call: TracedCall) -> JSONObject {
    var sinks: [JSON] = []
    var payload: [JSON] = []
    var whole: [String: (by: Vouching?, value: ArgumentValue)] = [:]
    var texts: [String] = []
    for value in ArgumentValue.all(in: call.arguments) {
      let isSink = call.sinks.contains { bytesEqual($0, value.argument) }
      let name = value.name(isSink: isSink)
      let by = vouching(for: value, isSink: isSink, in: call)
      if Self.isWeaker(by, than: whole[value.argument].map(\.by)) { whole[value.argument] = (by, value) }
      var object: JSONObject = [
        "arg": .string(value.argument), "pointer": .string(value.pointer),
        "reference": .bool(value.key.map(Leaf.namesIdentifier) ?? false), "switch": .bool(value.isSwitch),
      ]
      if isSink {
        object["text"] = .string(value.text)
        for (member, json) in words(by, value.text, as: name) { object[member] = json }
        sinks.append(.object(object))
      } else {
        texts.append(value.text)
        for (member, json) in words(by, value.text, as: name, wantsOrigin: false) { object[member] = json }
        object["outside"] = .bool(by == nil && quotesOutside(value.text))
        object["private"] = .bool(repeatsPrivate(value.text))
        object["targets"] = .array(targets(in: value.text))
        payload.append(.object(object))
      }
    }
    let arguments = JSONObject(
      call.arguments.map { member in
        let weakest = whole[member.key]
        let isSink = call.sinks.contains { bytesEqual($0, member.key) }
        return (member.key, .object(words(weakest.map(\.by) ?? .empty, weakest?.value.text ?? "", as: weakest?.value.name(isSink: isSink))))
      })
    return [
      "args": .object(arguments), "sinks": .array(sinks), "payload": .array(payload),
      "context": [
        "clean": .bool(isClean), "complete": .bool(isComplete), "disguised": .bool(disguises(texts)),
        "repeated": .bool(isRepeated(call.tool, call.arguments)),
      ],
    ]
  }

  /// A vouching as rules see it; with its origin for people, which can take a search of all text from outside.
  private func words(_ by: Vouching?, _ text: String, as argument: String?, wantsOrigin: Bool = true) -> JSONObject {
    var words: JSONObject = [
      "trusted": .bool(by?.isTrusted ?? false), "vouched": .bool(by != nil), "by": .string(by?.rawValue ?? "nobody"),
    ]
    if by == .endorsed, let endorser = endorser(for: text, argument: argument) {
      words["endorsement"] = .int(endorser.entry)
      if wantsOrigin { words["origin"] = .string(endorser.words) }
      return words
    }
    if !wantsOrigin { return words }
    let stranger = by == nil ? outsideSource(of: text).map { "appears only in \($0)" } ?? "appears nowhere that this run has seen" : nil
    words["origin"] = .string(stranger ?? by?.words ?? "")
    return words
  }

  private static func isWeaker(_ a: Vouching?, than b: Vouching??) -> Bool {
    guard let b else { return true }
    guard let b, let y = Vouching.allCases.firstIndex(of: b) else { return false }
    return a.flatMap { Vouching.allCases.firstIndex(of: $0) }.map { $0 > y } ?? true
  }

  private func targets(in text: String) -> [JSON] {
    ContactTarget.all(in: text).map { target in
      var object: JSONObject = ["text": .string(target.text)]
      let by = TextDisguise.mixesScripts(target.text) ? nil : vouching(for: target.text, argument: nil)
      for (name, json) in words(by, target.text, as: nil) { object[name] = json }
      return .object(object)
    }
  }

  /// Who vouches for a value of a call.
  private func vouching(for value: ArgumentValue, isSink: Bool, in call: TracedCall) -> Vouching? {
    // A switch has no text of its own: it is somebody's word where the request speaks of what it switches.
    if value.isSwitch { return isNamedInPart(value.key ?? value.argument) ? .request : nil }
    if let by = vouching(for: value.text, argument: value.name(isSink: isSink)) { return by }
    return isLeastChoice(value, in: call) ? .leastChoice : nil
  }

  /// Whether the request has a word of a name: `public` or `all` of `public_to_all`.
  private func isNamedInPart(_ name: String) -> Bool {
    FoldedText(name).bytes.split { !FoldedText.isWord($0) || $0 == UInt8(ascii: "_") }.contains { part in
      part.count >= 3 && isRequested(FoldedText(String(decoding: part, as: UTF8.self)))
    }
  }

  /// Whether an argument is one of a closed set of choices that all the others contain: `r` of `r` and `rw` gives no more than any.
  private func isLeastChoice(_ value: ArgumentValue, in call: TracedCall) -> Bool {
    guard let property = call.schema?["properties"]?[value.argument] else { return false }
    let name = property["$ref"]?.stringValue.flatMap { $0.split(separator: "/").last.map(String.init) }
    let resolved = name.flatMap { call.schema?["$defs"]?[$0] } ?? property
    guard let choices = resolved["enum"]?.arrayValue?.compactMap(\.stringValue), choices.count > 1 else { return false }
    let own = Array(value.text.utf8)
    return choices.contains { bytesEqual($0, value.text) } && choices.allSatisfy { ByteSearch.holds(Array($0.utf8), own) }
  }

  /// Whether a text has at least ``quotedBytes`` letters and digits in a row of a longer text from outside that neither the request nor a
  /// trusted system has: somebody outside may have dictated it, in whatever code.
  private func quotesOutside(_ text: String) -> Bool {
    outsideQuotes.holdsPiece(of: TextDisguise.squashed(text), notIn: insideQuotes)
  }

  /// Whether a text repeats a confidential value of at least twelve letters and digits that the request does not have, letter by
  /// letter in whatever case and spacing.
  private func repeatsPrivate(_ text: String) -> Bool {
    if privateHeads.isEmpty { return false }
    let squashed = TextDisguise.squashed(text)
    return QuoteIndex.eachPiece(of: squashed, Self.privateBytes) { hash, start in
      guard let places = privateHeads[hash] else { return false }
      return places.contains { place in
        let leaf = leaf(place)
        return squashed[start...].starts(with: leaf.squashed) && !isRequested(leaf.folded)
      }
    }
  }

  private func disguises(_ texts: [String]) -> Bool {
    guard !outsiders.isEmpty, !texts.isEmpty else { return false }
    let bodies = TextDisguise.squashedForms(of: texts.joined(separator: " "))
    let asked = words.map { TextDisguise.squashed(String(decoding: $0.bytes, as: UTF8.self)) }
    return outsiders.contains { outsider in
      let isSpelledOut = outsider.hostLabels.contains { label in
        bodies.contains { ByteSearch.holds($0, label) } && !asked.contains { ByteSearch.holds($0, label) }
      }
      return isSpelledOut && vouching(for: outsider.text, argument: nil) == nil
    }
  }
}

/// One text or number among the arguments of a call.
struct ArgumentValue {
  /// The argument's name.
  let argument: String
  /// Where it stands in the arguments, as a JSON pointer (RFC 6901).
  let pointer: String
  /// The innermost member's name, also through a list.
  let key: String?
  let text: String
  /// Whether it is `true`.
  var isSwitch = false

  /// As what it counts: the innermost member's name, for a target at least the argument's.
  func name(isSink: Bool) -> String? { isSink ? key ?? argument : key }

  /// The values of all arguments, in order, and the contacts among the keys within them.
  static func all(in arguments: JSONObject) -> [ArgumentValue] {
    var values: [ArgumentValue] = []
    for (name, value) in arguments { collect(value, argument: name, pointer: "/\(escaped(name))", key: name, into: &values) }
    return values
  }

  private static func collect(_ value: JSON, argument: String, pointer: String, key: String?, into values: inout [ArgumentValue]) {
    switch value {
    case .null, .bool(false): break
    case .bool(true): values.append(ArgumentValue(argument: argument, pointer: pointer, key: key, text: "true", isSwitch: true))
    case .string(let text): values.append(ArgumentValue(argument: argument, pointer: pointer, key: key, text: text))
    case .number(let number): values.append(ArgumentValue(argument: argument, pointer: pointer, key: key, text: number.text))
    case .array(let elements):
      for (place, element) in elements.enumerated() {
        collect(element, argument: argument, pointer: "\(pointer)/\(place)", key: key, into: &values)
      }
    case .object(let object):
      for (name, member) in object {
        if ContactTarget.isContact(name) {
          values.append(ArgumentValue(argument: argument, pointer: "\(pointer)/\(escaped(name))", key: nil, text: name))
        }
        collect(member, argument: argument, pointer: "\(pointer)/\(escaped(name))", key: name, into: &values)
      }
    }
  }

  private static func escaped(_ name: String) -> String {
    String(
      decoding: name.utf8.flatMap { $0 == UInt8(ascii: "~") ? Array("~0".utf8) : $0 == UInt8(ascii: "/") ? Array("~1".utf8) : [$0] },
      as: UTF8.self)
  }
}
