internal import Core

/// Why a value may be used as the target of a call; the first that applies.
///
/// A value that none applies to is nobody's word: it stands only in text from outside, or nowhere at all.
public enum Vouching: String, Hashable, Sendable, CaseIterable {
  /// There is nothing in it.
  case empty
  /// The requester's words name it.
  case request
  /// A trusted system returned it, as a whole value.
  case trusted
  /// A person has vouched for it.
  case endorsed
  /// It is the least of a closed set of choices: all the others contain it.
  case leastChoice = "least-choice"
  /// It is a short value that a tool returned while no prose from outside had been seen, so nobody had had a chance to ask for anything.
  case clean
  /// It belongs to a record that the request names, which was found by the request's words, and no other record of that name differs.
  case namedRecord = "named-record"
  /// It identifies the only record that a query in the requester's words returned.
  case onlyResult = "only-result"
  /// It is an identifier that a system made and no text from outside mentions.
  case recordID = "record-id"

  /// Whether it is somebody's word: the requester's, a trusted system's or a person's, not a reading of what came from outside.
  public var isTrusted: Bool { self == .empty || self == .request || self == .trusted || self == .endorsed }

  /// For people: who or what vouches.
  public var words: String {
    switch self {
    case .empty: "empty"
    case .request: "named by a person in this run"
    case .trusted: "from a trusted system"
    case .endorsed: "vouched for by a person"
    case .leastChoice: "the least of the choices that there are"
    case .clean: "from outside, before any prose from outside was read"
    case .namedRecord: "from the one record that the request names"
    case .onlyResult: "the only result of a query in the request's words"
    case .recordID: "an identifier that no text from outside mentions"
    }
  }
}

extension ProvenanceIndex {
  /// Who vouches for a value as the target of a call; nil where nobody does.
  ///
  /// The name of the argument tells identifiers of one kind from those of another; a value within a text has none.
  ///
  /// - Complexity: O(1) for a value that the request or a trusted system names; else O(text from outside).
  func vouching(for value: String, argument: String?) -> Vouching? {
    let folded = FoldedText(value)
    if folded.trimmed.isEmpty { return .empty }
    if isRequested(folded, as: argument, written: value) { return .request }
    if endorser(of: value, as: argument) != nil { return .endorsed }
    let places = places[ExactString(value)] ?? []
    let fitting = places.filter { fits($0, argument: argument) }
    let trusted = fitting.filter { observations[$0.observation].isTrusted && !isEcho(folded, $0) }
    if !trusted.isEmpty { return trusted.contains { observations[$0.observation].endorser == nil } ? .trusted : .endorsed }
    guard !FoldedText.isProse(value), value.utf8.count <= 80, !fitting.isEmpty else { return nil }
    if isClean, !ContactTarget.isContact(value) { return .clean }
    let isMentioned = lazily { isMentionedOutside(folded, exact: value, except: fitting) }
    for place in fitting {
      if isMember(place, of: argument), isOfNamedRecord(place, isMentioned) { return .namedRecord }
      let leaf = leaf(place)
      guard leaf.isIdentifier else { continue }
      let observation = observations[place.observation]
      if observation.output.results == 1, !observation.queries.isEmpty, observation.queries.allSatisfy({ isRequested($0) }) {
        return .onlyResult
      }
      if !isMentioned() { return .recordID }
    }
    return nil
  }

  /// Whose word makes a value trusted that is ``Vouching/endorsed``: of the value, or of where it comes from.
  func endorser(for value: String, argument: String?) -> Endorser? {
    if let endorser = endorser(of: value, as: argument) { return endorser }
    let folded = FoldedText(value)
    let places = (places[ExactString(value)] ?? []).filter { fits($0, argument: argument) && !isEcho(folded, $0) }
    return places.lazy.compactMap { observations[$0.observation].endorser }.first
  }

  /// Whether a trusted system only said back what it was asked about.
  private func isEcho(_ value: FoldedText, _ place: LeafPlace) -> Bool {
    observations[place.observation].queries.contains { $0.mentions(value) && !isRequested($0) }
  }

  /// Whether the record calls the value what the call calls it: the participants of one meeting may be those of another.
  private func isMember(_ place: LeafPlace, of argument: String?) -> Bool {
    guard let argument, let key = leaf(place).key else { return false }
    return leaf(place).isIdentifier || FoldedText(key) == FoldedText(argument)
  }

  /// Where a value stands that nobody vouches for: the first source from outside that mentions it; nil where it stands nowhere.
  func outsideSource(of value: String) -> String? {
    let folded = FoldedText(value)
    return observations.first { observation in
      !observation.isTrusted && observation.leaves.contains { $0.folded == folded || $0.folded.mentions(folded) }
    }?.source
  }

  func leaf(_ place: LeafPlace) -> Leaf { observations[place.observation].leaves[place.leaf] }

  private func record(_ place: LeafPlace) -> JSONObject? {
    leaf(place).record.map { observations[place.observation].records[$0] }
  }

  /// Whether a value at this place says anything about an argument: an identifier only where it identifies what the argument is about,
  /// a short number only as an identifier.
  private func fits(_ place: LeafPlace, argument: String?) -> Bool {
    let leaf = leaf(place)
    if leaf.folded.isShortNumber, !leaf.isIdentifier { return false }
    guard leaf.isIdentifier, let argument else { return true }
    let noun = Leaf.noun(of: argument)
    if noun.isEmpty { return true }
    func holds(_ text: FoldedText) -> Bool { ByteSearch.holds(text.bytes, noun) }
    return holds(observations[place.observation].tool) || record(place)?.keys.contains { holds(FoldedText($0)) } == true
  }

  /// Whether text from outside mentions a value anywhere but where it is the whole of a fitting member.
  private func isMentionedOutside(_ value: FoldedText, exact: String, except fitting: [LeafPlace]) -> Bool {
    for (number, observation) in observations.enumerated() where !observation.isTrusted {
      for (place, leaf) in observation.leaves.enumerated() where leaf.folded.bytes.count >= value.bytes.count {
        if bytesEqual(leaf.text, exact), fitting.contains(LeafPlace(observation: number, leaf: place)) { continue }
        if leaf.folded.mentions(value) { return true }
      }
    }
    return false
  }

  /// Whether the leaf's record is named by the request and was found by the request's words, and every record named so agrees on it.
  private func isOfNamedRecord(_ place: LeafPlace, _ isMentioned: () -> Bool) -> Bool {
    let leaf = leaf(place)
    guard let record = record(place), isNamed(leaf, in: observations[place.observation]) else { return false }
    let members = record.compactMap { $0.value.stringValue.map { FoldedText($0) } }
    let isQueried = observations[place.observation].queries.contains { query in
      isRequested(query) && members.contains { $0.mentions(query) }
    }
    guard isQueried else { return false }
    let rivals = rivals(of: leaf)
    return rivals.count == 1 && (leaf.isIdentifier || !isMentioned())
  }

  /// What the records that the request names hold under the key of a leaf; identifiers one by one, other members as a whole.
  private func rivals(of leaf: Leaf) -> Set<JSON> {
    var rivals: Set<JSON> = []
    for observation in observations where !observation.isTrusted {
      for other in observation.leaves where other.key == leaf.key {
        guard isNamed(other, in: observation), let record = other.record.map({ observation.records[$0] }) else { continue }
        rivals.insert(leaf.isIdentifier ? .string(other.text) : leaf.key.flatMap { record[$0] } ?? .null)
        if rivals.count > 1 { return rivals }
      }
    }
    return rivals
  }

  /// Whether the request names a text member of a leaf's record, other than the leaf itself.
  private func isNamed(_ leaf: Leaf, in observation: Observation) -> Bool {
    leaf.record.map { !observation.isTrusted && observation.named[$0].contains { !bytesEqual($0, leaf.text) } } ?? false
  }

  /// The text members of a record that the request names.
  func named(_ record: JSONObject) -> [String] {
    record.compactMap { member in
      guard let text = member.value.stringValue, (4...80).contains(text.utf8.count), hasWord(text), isRequested(FoldedText(text)) else {
        return nil
      }
      return text
    }
  }

  /// Whether three letters stand together.
  private func hasWord(_ text: String) -> Bool {
    var run = 0
    for byte in text.utf8 {
      run = (byte | 0x20) &- 0x61 < 26 ? run + 1 : 0
      if run == 3 { return true }
    }
    return false
  }
}

/// A value that is worked out when it is first asked for.
private func lazily(_ value: @escaping () -> Bool) -> () -> Bool {
  var known: Bool?
  return {
    if let known { return known }
    let made = value()
    known = made
    return made
  }
}
