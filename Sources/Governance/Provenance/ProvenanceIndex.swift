public import Core

/// What a run has been told so far, and by whom, kept so that each argument of a call can be traced to where its value comes from.
///
/// The requester's words and what trusted systems returned are taken at their word; what stands only in text from outside is not, except
/// in the few ways that ``Vouching`` names. Nothing here reads the meaning of a text, so nothing in a text can talk it round.
public struct ProvenanceIndex: Sendable {
  /// The most text that is kept of one run, in bytes; what comes after is not traced, so that arguments from it are nobody's word.
  public static let maximumBytes = 4 << 20

  var words: [FoldedText] = []
  /// The same words as they were written.
  private var exactWords: [FoldedText] = []
  var observations: [Observation] = []
  /// Where a text stands as a whole value.
  var places: [ExactString: [LeafPlace]] = [:]
  /// Whether prose from outside was seen, which can ask for things.
  private(set) var isClean = true
  /// Whether all that came in was kept.
  private(set) var isComplete = true
  /// The calls that were made: the tool, and its arguments in canonical form.
  private var calls: Set<Digest> = []
  private var bytes = 0
  /// Values that people vouched for, with what they may stand as.
  private var endorsed: [ExactString: [(names: [String], by: Endorser)]] = [:]
  /// Whether something from outside counts as trusted only because people endorsed where it comes from.
  private(set) var restsOnEndorsement = false
  /// The contacts that text from outside names.
  var outsiders: [ContactTarget] = []
  /// What longer texts from outside say, and what the request and trusted systems say.
  private(set) var outsideQuotes = QuoteIndex(length: quotedBytes)
  private(set) var insideQuotes = QuoteIndex(length: quotedBytes)

  /// Where confidential values begin: from the hash of their first letters and digits.
  private(set) var privateHeads: [UInt64: [LeafPlace]] = [:]
  /// How many letters and digits a confidential value has at least.
  static let privateBytes = 12

  /// How many letters and digits in a row make a quotation.
  static let quotedBytes = 16
  /// A text from outside is long enough to dictate something, in bytes; shorter ones are names, addresses and titles.
  static let longBytes = 80

  /// An index of nothing.
  public init() {}

  /// Adds what the requester, or another person of the organisation, said in the run.
  public mutating func hear(_ words: String) {
    guard take(words.utf8.count) else { return isComplete = false }
    self.words.append(FoldedText(words))
    insideQuotes.add(TextDisguise.squashed(words))
    exactWords.append(FoldedText(exact: words))
    for place in observations.indices where !observations[place].isTrusted {
      observations[place].named = observations[place].records.map(named)
    }
  }

  /// Adds a value that a person has vouched for, as the value of arguments with one of these names and of nothing else.
  public mutating func endorse(_ value: String, as names: [String], by endorser: Endorser) {
    endorsed[ExactString(value), default: []].append((names, endorser))
  }

  /// Adds what a tool returned.
  ///
  /// - Parameters:
  ///   - tool: The tool's name.
  ///   - source: What people are told that this is; nil takes the tool's name.
  ///   - arguments: What it was called with.
  ///   - output: What it returned.
  ///   - trusted: Whether nobody outside can have written any of it.
  ///   - isPrivate: Whether it may hold confidential values.
  ///   - endorser: Whose word makes it trusted, where it is not by itself.
  /// - Complexity: O(size of the output).
  public mutating func observe(
    tool: String, source: String? = nil, arguments: JSONObject, output: ToolOutput, trusted: Bool, isPrivate: Bool,
    endorser: Endorser? = nil
  ) {
    let (needsNobody, trusted) = (trusted, trusted || endorser != nil)
    if !needsNobody, trusted { restsOnEndorsement = true }
    calls.insert(Self.digest(of: tool, arguments))
    guard take(output.bytes) else { return miss(trusted: trusted) }
    let place = observations.count
    observations.append(
      Observation(
        tool: FoldedText(tool), source: source ?? tool, queries: LeafReader.texts(of: .object(arguments)).map { FoldedText($0) },
        isTrusted: trusted, endorser: needsNobody ? nil : endorser, isPrivate: isPrivate, output: output,
        named: trusted ? [] : output.records.map(named)))
    if !trusted {
      isClean = isClean && !output.hasProse
      outsiders += output.contacts
    }
    for (number, leaf) in output.leaves.enumerated() {
      places[ExactString(leaf.text), default: []].append(LeafPlace(observation: place, leaf: number))
      if isPrivate, leaf.squashed.count >= Self.privateBytes, !ContactTarget.isDate(leaf.text) {
        _ = QuoteIndex.eachPiece(of: leaf.squashed, Self.privateBytes) { hash, _ in
          privateHeads[hash, default: []].append(LeafPlace(observation: place, leaf: number))
          return true
        }
      }
      if trusted { insideQuotes.add(leaf.squashed) }
      if !trusted, leaf.text.utf8.count > Self.longBytes { outsideQuotes.add(leaf.squashed) }
    }
  }

  /// Whether the requester's words name a value.
  ///
  /// As the value of an argument an identifier counts as it is written only, with its capitals, and a short number only right after what
  /// it is a number of (`file 13`, `id 13`, `#13`), as numbers stand everywhere.
  func isRequested(_ value: FoldedText, as argument: String? = nil, written text: String? = nil) -> Bool {
    guard let argument else { return words.contains { $0.mentions(value) } }
    if Leaf.namesIdentifier(argument), !value.isShortNumber {
      guard let text else { return false }
      return exactWords.contains { $0.mentions(FoldedText(exact: text)) }
    }
    guard value.isShortNumber, Leaf.namesIdentifier(argument) else { return words.contains { $0.mentions(value) } }
    let noun = Leaf.noun(of: argument)
    return words.contains { words in
      words.wordsBefore(number: value).contains { before in
        before.last.map { Leaf.numberWords.contains($0) } == true && noun.isEmpty
          || !noun.isEmpty && before.contains { $0.starts(with: noun) }
      }
    }
  }

  /// Who endorsed a value as an argument of that name.
  func endorser(of value: String, as argument: String?) -> Endorser? {
    guard !endorsed.isEmpty, let argument else { return nil }
    return endorsed[ExactString(value)]?.first { $0.names.contains { bytesEqual($0, argument) } }?.by
  }

  /// Notes that something came in that is not kept: nobody knows what it said, so text from outside may have asked for anything.
  public mutating func miss(trusted: Bool) {
    isComplete = false
    isClean = isClean && trusted
  }

  /// Whether the very same call was made before.
  func isRepeated(_ tool: String, _ arguments: JSONObject) -> Bool { calls.contains(Self.digest(of: tool, arguments)) }

  private static func digest(of tool: String, _ arguments: JSONObject) -> Digest {
    SHA256.hash(JSON.array([.string(tool), .object(arguments)]).canonicalBytesRounding())
  }

  private mutating func take(_ count: Int) -> Bool {
    guard bytes + count <= Self.maximumBytes else { return false }
    bytes += count
    return true
  }
}

/// The result of one call, as far as a run knows it.
struct Observation: Sendable {
  let tool: FoldedText
  /// What people are told that this is.
  let source: String
  /// The texts and numbers that it was called with.
  let queries: [FoldedText]
  let isTrusted: Bool
  /// Whose word makes it trusted; nil where it needs nobody's.
  let endorser: Endorser?
  let isPrivate: Bool
  let output: ToolOutput
  /// For each record the members by which the request names it.
  var named: [[String]]

  var leaves: [Leaf] { output.leaves }
  var records: [JSONObject] { output.records }
}

/// What a tool returned, read once for all runs that saw it.
public struct ToolOutput: Sendable {
  let leaves: [Leaf]
  /// The objects in it.
  let records: [JSONObject]
  /// How many elements it has, where it is a list.
  let results: Int?
  let bytes: Int
  let hasProse: Bool
  /// The contacts in its prose.
  let contacts: [ContactTarget]

  /// Reads an output.
  ///
  /// - Complexity: O(size).
  public init(_ value: JSON) {
    var reader = LeafReader(value)
    reader.read()
    leaves = reader.leaves
    records = reader.records
    results = value.arrayValue?.count
    bytes = reader.bytes
    let prose = reader.leaves.filter(\.isProse)
    hasProse = !prose.isEmpty
    contacts = prose.flatMap { ContactTarget.all(in: $0.text) }
  }
}

/// Where a leaf is: the place of its observation, and its own in that.
struct LeafPlace: Hashable, Sendable {
  let observation: Int
  let leaf: Int
}

/// One text or number of a tool's result, or one key of an object.
struct Leaf: Sendable {
  let text: String
  let folded: FoldedText
  /// Its letters and digits alone.
  let squashed: [UInt8]
  /// The name of the member that holds it, also through a list; nil where it is a key itself or stands at the top.
  let key: String?
  /// The place of the object that holds it.
  let record: Int?
  let isProse: Bool

  /// Whether the member's name says that this identifies something.
  var isIdentifier: Bool { key.map(Leaf.namesIdentifier) ?? false }

  /// Words after which a number identifies something.
  static let numberWords = Set(["#", "id", "ids"].map { Array($0.utf8) })

  /// What an argument identifies: `file` of `file_id` and of `file_ids`.
  static func noun(of argument: String) -> [UInt8] {
    let name = FoldedText(argument).bytes
    let ending = ["_ids", "_id", "ids", "id"].map { Array($0.utf8) }.first { name.count >= $0.count && name.suffix($0.count) == $0[...] }
    return name.dropLast(ending?.count ?? 0)
  }

  /// Whether a name is one of identifiers: `id`, `id_`, `file_id`, `fileId`, `file-ids`, `uuid`.
  static func namesIdentifier(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    var last: [UInt8] = []
    for (place, byte) in bytes.enumerated() {
      if !FoldedText.isWord(byte) || byte == UInt8(ascii: "_") {
        if place < bytes.count - 1 { last = [] }
        continue
      }
      let startsWord = byte &- 0x41 < 26 && place > 0 && bytes[place - 1] &- 0x61 < 26
      last = (startsWord ? [] : last) + [byte &- 0x41 < 26 ? byte | 0x20 : byte]
    }
    return identifiers.contains(last)
  }

  private static let identifiers = Set(["id", "ids", "uid", "uids", "uuid", "uuids", "guid"].map { Array($0.utf8) })
}

/// Reads the leaves of a value.
struct LeafReader {
  private let value: JSON
  private(set) var leaves: [Leaf] = []
  private(set) var records: [JSONObject] = []
  private(set) var bytes = 0

  init(_ value: JSON) { self.value = value }

  mutating func read() { read(value, key: nil, record: nil) }

  private mutating func read(_ value: JSON, key: String?, record: Int?) {
    switch value {
    case .null, .bool: break
    case .string(let text): add(text, key: key, record: record)
    case .number(let number): add(number.text, key: key, record: record)
    case .array(let elements): for element in elements { read(element, key: key, record: record) }
    case .object(let object):
      let place = records.count
      records.append(object)
      for (name, member) in object {
        add(name, key: nil, record: place)
        read(member, key: name, record: place)
      }
    }
  }

  private mutating func add(_ text: String, key: String?, record: Int?) {
    bytes += text.utf8.count
    leaves.append(
      Leaf(
        text: text, folded: FoldedText(text), squashed: TextDisguise.squashed(text), key: key, record: record,
        isProse: FoldedText.isProse(text)))
  }

  /// The texts and numbers of a value, without keys.
  static func texts(of value: JSON) -> [String] {
    switch value {
    case .null, .bool: []
    case .string(let text): [text]
    case .number(let number): [number.text]
    case .array(let elements): elements.flatMap(texts)
    case .object(let object): object.flatMap { texts(of: $0.value) }
    }
  }
}
