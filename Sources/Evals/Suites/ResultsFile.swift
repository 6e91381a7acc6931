internal import AgentRuntime
public import Core
internal import Glibc

/// Where the results of a run of a suite come from: everything that has to be equal for results to belong together.
public struct ResultsHeader: Hashable, Sendable {
  /// The version of the file's form.
  public static let version: Int64 = 1

  /// The suite's name.
  public var suite: String
  /// The digest of its files.
  public var suiteDigest: Digest
  /// The process.
  public var process: String
  /// The digest of the release that the agent worked under.
  public var release: Digest
  /// The step's prompt with its version.
  public var prompt: String?
  /// The digest of the prompt's text.
  public var promptDigest: Digest?
  /// The model's name at the endpoint.
  public var model: String
  /// The endpoint, without secrets; `scripted` for a script.
  public var endpoint: String
  /// Whether recorded replies stood in for the model.
  public var isRecorded: Bool
  /// Tools that must never be tried.
  public var never: [String]
  /// How many samples the suite has.
  public var samples: Int
  /// How often each one is tried.
  public var repeats: Int

  /// The provenance of a run that is to begin.
  public init(_ runner: SampleRunner, repeats: Int, isRecorded: Bool) {
    suite = runner.suite.name
    suiteDigest = runner.suite.digest
    process = runner.suite.process
    release = runner.release
    prompt = runner.prompt?.name
    promptDigest = runner.prompt?.digest
    model = runner.model.model
    endpoint = runner.model.endpoint
    self.isRecorded = isRecorded
    never = runner.suite.never
    samples = runner.suite.samples.count
    self.repeats = repeats
  }

  /// The header as JSON; the first line of a file of results.
  public var json: JSON {
    var object: JSONObject = [
      "results": .int(Self.version), "suite": .string(suite), "suite_digest": .string(suiteDigest.hex), "process": .string(process),
      "release": .string(release.hex), "model": .string(model), "endpoint": .string(endpoint), "recorded": .bool(isRecorded),
      "never": .array(never.map { .string($0) }), "samples": .int(samples), "repeat": .int(repeats),
    ]
    object["prompt"] = prompt.map { .string($0) }
    object["prompt_digest"] = promptDigest.map { .string($0.hex) }
    return .object(object)
  }

  /// A header from its ``json``; nil for anything else, and for another version.
  public init?(json: JSON) {
    func digest(_ key: String) -> Digest? { json[key]?.stringValue.flatMap { Digest(hex: $0) } }
    guard json["results"]?.intValue == Self.version, let suite = json["suite"]?.stringValue, let suiteDigest = digest("suite_digest"),
      let process = json["process"]?.stringValue, let release = digest("release"), let model = json["model"]?.stringValue,
      let endpoint = json["endpoint"]?.stringValue, let isRecorded = json["recorded"]?.boolValue,
      let samples = json["samples"]?.intValue.flatMap({ Int(exactly: $0) }),
      let repeats = json["repeat"]?.intValue.flatMap({ Int(exactly: $0) }), samples >= 1, repeats >= 1
    else { return nil }
    self.suite = suite
    self.suiteDigest = suiteDigest
    self.process = process
    self.release = release
    prompt = json["prompt"]?.stringValue
    promptDigest = digest("prompt_digest")
    self.model = model
    self.endpoint = endpoint
    self.isRecorded = isRecorded
    never = (json["never"]?.arrayValue ?? []).compactMap(\.stringValue)
    self.samples = samples
    self.repeats = repeats
  }

  /// The members in which two headers differ.
  public func differences(from other: ResultsHeader) -> [String] {
    let theirs = other.json.objectValue ?? [:]
    let mine = json.objectValue ?? [:]
    var keys = mine.keys
    for key in theirs.keys where !keys.contains(key) { keys.append(key) }
    return keys.filter { mine[$0] != theirs[$0] }
  }
}

/// The results of a run of a suite: a header, then one line for each trial.
///
/// A line is whole once it ends with a newline; a half-written last line is what a kill leaves, and is passed over.
public struct SuiteResults: Sendable {
  /// The largest file that is read, in bytes.
  public static let maximumBytes = 512 << 20

  /// Where the results come from.
  public let header: ResultsHeader
  /// The trials, in the order in which they were made.
  public let trials: [TrialRecord]
  /// Bytes at the end of the file that are no whole line.
  public let droppedBytes: Int

  /// How many trials are missing.
  public var missing: Int { max(0, header.samples * header.repeats - trials.count) }

  /// Results with these parts.
  public init(header: ResultsHeader, trials: [TrialRecord], droppedBytes: Int = 0) {
    self.header = header
    self.trials = trials
    self.droppedBytes = droppedBytes
  }

  /// Reads a file of results.
  ///
  /// - Throws: What is wrong with it, with the line; `no-results` where not even the header is whole.
  /// - Complexity: O(bytes).
  public init(path: String) throws(Diagnostics) {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try RegularFile.read(path, maximumBytes: Self.maximumBytes) } catch {
      throw Diagnostics([Diagnostic(error)])
    }
    try self.init(bytes, file: path)
  }

  /// Reads results from bytes.
  ///
  /// - Throws: As ``init(path:)``.
  public init(_ bytes: [UInt8], file: String) throws(Diagnostics) {
    let whole = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    var header: ResultsHeader?
    var trials: [TrialRecord] = []
    var seen: Set<String> = []
    for (index, line) in bytes[..<whole].split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().enumerated() {
      let place = SourcePosition(file: file, line: index + 1, column: 1, offset: line.startIndex)
      func problem(_ message: String) -> Diagnostics { Diagnostics([Diagnostic("bad-results", at: place, message)]) }
      let json: JSON
      do throws(JSONError) { json = try JSON.parse(Array(line)) } catch {
        throw problem("this line is no JSON: \(error.message)")
      }
      guard let known = header else {
        guard let read = ResultsHeader(json: json) else { throw problem("the first line is no header of results of version 1") }
        header = read
        continue
      }
      guard let trial = TrialRecord(json: json) else { throw problem("this line is no trial of a sample") }
      guard trial.repetition <= known.repeats else { throw problem("repetition \(trial.repetition) of \(known.repeats)") }
      guard seen.insert("\(trial.repetition) \(trial.sample)").inserted else {
        throw problem("repetition \(trial.repetition) of the sample `\(visible(trial.sample))` is there twice")
      }
      trials.append(trial)
    }
    guard let header else {
      throw Diagnostics([Diagnostic("no-results", at: nil, "`\(visible(file))` holds no results: its header is missing or half written")])
    }
    self.init(header: header, trials: trials, droppedBytes: bytes.count - whole)
  }
}

/// Appends lines to a file of results, each one on the disk before the next is begun.
///
/// One writer serves one task at a time; a second one of the same file is refused.
public final class ResultsWriter: Sendable {
  private let descriptor: Int32
  private let path: String

  /// Opens a file, making it where it is not there, and cuts off a half-written last line.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - whole: How many of its bytes are whole lines; nil keeps nothing.
  /// - Throws: ``Core/Diagnostic`` where it cannot be written, or another process writes it.
  public init(path: String, keeping whole: Int?) throws(Diagnostic) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_APPEND, 0o644)
    if descriptor < 0 { throw Self.problem(path, "cannot write") }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      close(descriptor)
      throw Diagnostic("results-busy", at: nil, "`\(visible(path))`: another process writes these results", hint: "wait until it has ended")
    }
    if ftruncate(descriptor, off_t(whole ?? 0)) != 0 {
      let error = Self.problem(path, "cannot cut off a half-written line")
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Appends one line.
  ///
  /// - Throws: ``Core/Diagnostic`` where the disk is full, say; what was half written is passed over by whoever reads.
  public func append(_ json: JSON) throws(Diagnostic) {
    let bytes = Array((json.text() + "\n").utf8)
    var offset = 0
    while offset < bytes.count {
      let count = bytes[offset...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { throw Self.problem(path, "cannot write") }
      offset += count
    }
    if fdatasync(descriptor) != 0 { throw Self.problem(path, "cannot write") }
  }

  private static func problem(_ path: String, _ what: String) -> Diagnostic {
    Diagnostic("unwritable-results", at: nil, "`\(visible(path))`: \(what): \(String(cString: strerror(errno)))")
  }
}
