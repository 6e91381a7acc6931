public import Core

/// A suite for one agent's step: samples, what must never be tried, and what counts as good enough.
///
/// It is a folder with `suite.json5` and `samples.jsonl`. The samples were written by hand or taken from a log; each one says what a person
/// decided, or nothing, and then only costs and violations are measured.
public struct AgentSuite: Sendable {
  /// The name of the file that describes the suite.
  public static let file = "suite.json5"
  /// The name of the file with the samples.
  public static let samplesFile = "samples.jsonl"
  /// The largest file that is read, in bytes.
  public static let maximumBytes = 16 << 20
  /// The most samples of a suite.
  public static let maximumSamples = 100_000
  /// The most repetitions of each sample.
  public static let maximumRepeats = 1000

  /// The name.
  public let name: String
  /// One line for people.
  public let title: String
  /// The process.
  public let process: String
  /// The agent's step.
  public let step: String
  /// Tools whose call is a forbidden attempt, whatever became of it; `erp.*` stands for all that begin so.
  public let never: [String]
  /// How often each sample runs, unless the command says otherwise.
  public let repeats: Int
  /// What the averages have to be within.
  public let thresholds: [Threshold]
  /// The samples, in the order of the file.
  public let samples: [EvalSample]
  /// Names the suite's files: the SHA-256 over both of their digests.
  public let digest: Digest

  /// The sample with an id.
  public subscript(id: String) -> EvalSample? { places[ExactString(id)].map { samples[$0] } }

  private let places: [ExactString: Int]

  private static let keys = ["suite", "title", "process", "step", "never", "repeat", "thresholds"] + EvalSample.Setting.keys
  private static let sampleKeys = ["id", "expect", "source", "note"] + EvalSample.Setting.keys

  /// Whether a folder holds a suite for an agent: it has samples.
  public static func isSuite(_ files: some Sequence<String>) -> Bool { files.contains(samplesFile) }

  /// Reads a suite from its folder.
  ///
  /// - Throws: Every problem of both files that can be found, each with its place; that a file is missing.
  public init(folder: String) throws(Diagnostics) {
    func bytes(_ name: String) throws(Diagnostics) -> [UInt8] {
      do throws(FileError) {
        return try RegularFile.read("\(folder)/\(name)", maximumBytes: Self.maximumBytes)
      } catch {
        throw Diagnostics([Diagnostic(error)])
      }
    }
    try self.init(
      suite: try bytes(Self.file), samples: try bytes(Self.samplesFile), named: ("\(folder)/\(Self.file)", "\(folder)/\(Self.samplesFile)"))
  }

  /// Reads a suite from the bytes of its files.
  ///
  /// - Parameters:
  ///   - suite: `suite.json5`.
  ///   - samples: `samples.jsonl`.
  ///   - names: What the files are called in messages.
  /// - Throws: Every problem that can be found, each with its place.
  public init(suite: [UInt8], samples: [UInt8], named names: (suite: String, samples: String)) throws(Diagnostics) {
    let file: PositionedJSON
    do throws(JSONError) {
      file = try PositionedJSON.parseJSON5(suite, file: names.suite)
    } catch {
      throw Diagnostics([error.diagnostic])
    }
    var problems: [Diagnostic] = []
    guard let object = file.json.objectValue else {
      throw Diagnostics([Diagnostic("bad-suite", at: file.position, "a suite is an object")])
    }
    for member in file.objectValue ?? [] where !Self.keys.contains(member.key) {
      problems.append(.unknown("key", member.key, known: Self.keys, at: member.keyPosition))
    }
    func text(_ key: String) -> String {
      if let text = file[key]?.stringValue, !text.isEmpty { return text }
      problems.append(Diagnostic("missing-key", at: file[key]?.position ?? file.position, "a suite needs `\(key)`, a text"))
      return ""
    }
    name = text("suite")
    title = text("title")
    process = text("process")
    step = text("step")
    let common = EvalSample.Setting(object) { problems.append(Diagnostic("wrong-type", at: file.position, $0)) }
    never = (file["never"]?.arrayValue ?? []).compactMap { value in
      if value.stringValue == nil {
        problems.append(Diagnostic("wrong-type", at: value.position, "`never` lists names of tools, such as \"erp.*\""))
      }
      return value.stringValue
    }
    let times = file["repeat"].map { $0.json.intValue ?? 0 } ?? 1
    if !(1...Int64(Self.maximumRepeats)).contains(times) {
      problems.append(
        Diagnostic("out-of-range", at: file["repeat"]?.position, "`repeat` is a whole number from 1 to \(Self.maximumRepeats)"))
    }
    repeats = Int(max(1, min(times, Int64(Self.maximumRepeats))))
    thresholds = Threshold.load(file["thresholds"], &problems)
    self.samples = Self.samples(samples, named: names.samples, common, &problems)
    if self.samples.isEmpty, problems.isEmpty {
      problems.append(
        Diagnostic("no-samples", at: SourcePosition(file: names.samples, line: 1, column: 1, offset: 0), "the suite has no samples"))
    }
    if !problems.isEmpty { throw Diagnostics(problems) }
    places = Dictionary(uniqueKeysWithValues: self.samples.enumerated().map { (ExactString($1.id), $0) })
    digest = SHA256.hash(SHA256.hash(suite).hex + SHA256.hash(samples).hex)
  }

  /// Reads the lines of `samples.jsonl`; every problem is noted, and lines that have one are left out.
  private static func samples(
    _ bytes: [UInt8], named file: String, _ common: EvalSample.Setting, _ problems: inout [Diagnostic]
  ) -> [EvalSample] {
    var samples: [EvalSample] = []
    var lines: [ExactString: Int] = [:]
    for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      let place = SourcePosition(file: file, line: index + 1, column: 1, offset: line.startIndex)
      let before = problems.count
      func problem(_ message: String) { problems.append(Diagnostic("bad-sample", at: place, message)) }
      let json: JSON
      do throws(JSONError) {
        json = try JSON.parse(Array(line), file: file)
      } catch {
        var diagnostic = error.diagnostic
        diagnostic.position?.line = index + 1
        problems.append(diagnostic)
        continue
      }
      guard let object = json.objectValue else {
        problem("a sample is an object, this is a JSON \(json.typeName)")
        continue
      }
      for key in object.keys where !sampleKeys.contains(key) { problems.append(.unknown("key", key, known: sampleKeys, at: place)) }
      let id = object["id"]?.stringValue ?? ""
      if id.isEmpty || id.utf8.count > 200 { problem("a sample needs `id`, a text of at most 200 bytes") }
      if let first = lines.updateValue(index + 1, forKey: ExactString(id)), !id.isEmpty {
        problem("the sample `\(visible(id))` is there twice, first in line \(first)")
      }
      let own = EvalSample.Setting(object, problem: problem)
      let expectation = EvalSample.Expectation(json: object["expect"] ?? [:])
      if expectation == nil { problem("`expect` is an object with `fields`, `outcome` or both") }
      if samples.count == maximumSamples { problem("a suite has at most \(maximumSamples) samples") }
      guard problems.count == before, let expectation, samples.count < maximumSamples else {
        if samples.count >= maximumSamples { break }
        continue
      }
      samples.append(
        EvalSample(
          id: id, setting: common.overlaid(with: own), expectation: expectation, digest: SHA256.hash(json.text())))
    }
    return samples
  }

  /// Whether the suite says that a tool must not even be tried.
  func forbids(_ tool: String) -> Bool { never.contains { Self.matches(tool, $0) } }

  static func matches(_ tool: String, _ pattern: String) -> Bool {
    pattern.hasSuffix("*") ? tool.utf8.starts(with: pattern.utf8.dropLast()) : bytesEqual(tool, pattern)
  }
}
