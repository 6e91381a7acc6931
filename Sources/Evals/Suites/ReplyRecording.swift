public import AgentRuntime
public import Core
internal import Glibc
internal import LLM
internal import ProcessModel

/// The replies of a model to a suite's samples, which stand in for it later: `replies.jsonl`.
///
/// The first line says which model it was; each further one is a turn with its sample and repetition. A request that differs in anything
/// is not answered.
public struct ReplyRecording: Sendable {
  /// The name of the file in a suite's folder.
  public static let file = "replies.jsonl"
  /// The largest file that is read, in bytes.
  public static let maximumBytes = 256 << 20

  /// The model that replied; its own client answers nothing.
  public let model: AgentModel
  private let turns: [String: [RecordedTurn]]

  /// Reads a recording.
  ///
  /// - Throws: What is wrong with the file, with the line.
  public init(path: String) throws(Diagnostics) {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try RegularFile.read(path, maximumBytes: Self.maximumBytes) } catch {
      throw Diagnostics([Diagnostic(error)])
    }
    try self.init(bytes, file: path)
  }

  /// Reads a recording from bytes; a half-written last line is passed over.
  ///
  /// - Throws: As ``init(path:)``.
  public init(_ bytes: [UInt8], file: String) throws(Diagnostics) {
    let whole = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    var model: AgentModel?
    var turns: [String: [RecordedTurn]] = [:]
    for (index, line) in bytes[..<whole].split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().enumerated() {
      let place = SourcePosition(file: file, line: index + 1, column: 1, offset: line.startIndex)
      func problem(_ message: String) -> Diagnostics { Diagnostics([Diagnostic("bad-recording", at: place, message)]) }
      let json: JSON
      do throws(JSONError) { json = try JSON.parse(Array(line)) } catch {
        throw problem("this line is no JSON: \(error.message)")
      }
      guard model != nil else {
        model = Self.model(json)
        if model == nil { throw problem("the first line says which model replied: `model`, `endpoint`, `api`, `mode`, `clearance`") }
        continue
      }
      guard let sample = json["sample"]?.stringValue, let repetition = json["repeat"]?.intValue, let turn = RecordedTurn(json: json) else {
        throw problem("this line is no recorded turn of a sample")
      }
      turns["\(repetition) \(sample)", default: []].append(turn)
    }
    guard let model else {
      throw Diagnostics([Diagnostic("bad-recording", at: nil, "`\(visible(file))` holds no recorded replies")])
    }
    self.model = model
    self.turns = turns
  }

  /// What answers one trial, turn by turn.
  func client(sample: String, repetition: Int) -> RecordedModel { RecordedModel(turns["\(repetition) \(sample)"] ?? []) }

  /// The first line of a recording of a model.
  static func header(_ model: AgentModel) -> JSON {
    var object: JSONObject = [
      "model": .string(model.model), "endpoint": .string(model.endpoint), "api": .string(model.api.rawValue),
      "mode": .string(model.mode.rawValue), "clearance": .string(model.clearance.rawValue),
    ]
    object["prices"] = model.prices.map { ["input": .int($0.input), "output": .int($0.output)] }
    return .object(object)
  }

  private static func model(_ json: JSON) -> AgentModel? {
    guard let name = json["model"]?.stringValue, let endpoint = json["endpoint"]?.stringValue,
      let api = json["api"]?.stringValue.flatMap({ ModelAPI(rawValue: $0) }),
      let mode = json["mode"]?.stringValue.flatMap({ ModelMode(rawValue: $0) }),
      let clearance = json["clearance"]?.stringValue.flatMap({ Sensitivity(rawValue: $0) })
    else { return nil }
    let prices = json["prices"].flatMap { prices -> (input: Int64, output: Int64)? in
      guard let input = prices["input"]?.intValue, let output = prices["output"]?.intValue else { return nil }
      return (input, output)
    }
    return AgentModel(
      client: RecordedModel([]), model: name, api: api, mode: mode, endpoint: endpoint, clearance: clearance, prices: prices)
  }
}

/// Writes a recording of a model's replies.
final class ReplyRecorder: Sendable {
  private let writer: ResultsWriter

  /// Begins a recording, or goes on with one of the same model.
  init(path: String, model: AgentModel) throws {
    let old = access(path, F_OK) == 0 ? try RegularFile.read(path, maximumBytes: ReplyRecording.maximumBytes) : []
    let whole = old.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let header = ReplyRecording.header(model)
    if whole > 0 {
      guard ReplyRecording.header(try ReplyRecording(old, file: path).model) == header else {
        throw Diagnostics([
          Diagnostic("other-results", at: nil, "`\(visible(path))` holds the replies of another model", hint: "name another file")
        ])
      }
    }
    writer = try ResultsWriter(path: path, keeping: whole)
    if whole == 0 { try writer.append(header) }
  }

  func append(_ turns: [RecordedTurn], sample: String, repetition: Int) throws {
    for turn in turns {
      var object = turn.json.objectValue ?? [:]
      object["sample"] = .string(sample)
      object["repeat"] = .int(repetition)
      try writer.append(.object(object))
    }
  }
}
