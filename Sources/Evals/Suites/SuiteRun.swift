internal import AgentRuntime
internal import Core
internal import Glibc
internal import LLM

/// Runs a suite: every sample as often as is wanted, each trial written before the next begins, and none that is there already.
public struct SuiteRun: Sendable {
  /// What tries the samples.
  public let runner: SampleRunner
  /// Where the results come from.
  public let header: ResultsHeader
  private let recorded: ReplyRecording?

  /// A run.
  ///
  /// - Parameters:
  ///   - runner: What tries the samples; with a recording, the model is the recorded one.
  ///   - repeats: How often each sample is tried.
  ///   - recorded: The replies that stand in for the model; nil asks it.
  public init(_ runner: SampleRunner, repeats: Int, recorded: ReplyRecording? = nil) {
    self.runner = runner
    self.recorded = recorded
    header = ResultsHeader(runner, repeats: repeats, isRecorded: recorded != nil)
  }

  /// The trials that are not among some results: all samples once, then all of them again.
  ///
  /// - Complexity: O(samples × repetitions).
  public func missing(from done: [TrialRecord]) -> [(sample: EvalSample, repetition: Int)] {
    let known = Set(done.map { "\($0.repetition) \($0.sample)" })
    return (1...header.repeats).flatMap { repetition in
      runner.suite.samples.map { ($0, repetition) }.filter { !known.contains("\($0.1) \($0.0.id)") }
    }
  }

  /// Makes the missing trials, and writes each one into a file.
  ///
  /// - Parameters:
  ///   - path: The file of results; one that is there is gone on with if it comes from the same suite, release and model.
  ///   - record: A file for the model's replies, gone on with likewise; nil keeps only their digests.
  ///   - progress: Told after each trial how many are done.
  /// - Returns: All results, those that were there included.
  /// - Throws: `Diagnostics` with the code `other-results` where the file is about something else; ``SampleFailure``; what the store
  ///   throws. What was done until then is in the file.
  public func run(
    into path: String, recording record: String? = nil, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) async throws -> SuiteResults {
    var trials: [TrialRecord] = []
    var whole: Int?
    if access(path, F_OK) == 0, let bytes = try? RegularFile.read(path, maximumBytes: SuiteResults.maximumBytes), bytes.contains(0x0A) {
      let old = try SuiteResults(bytes, file: path)
      let other = header.differences(from: old.header)
      guard other.isEmpty else {
        throw Diagnostics([
          Diagnostic(
            "other-results", at: nil, "`\(visible(path))` holds results of something else: \(other.joined(separator: ", ")) differ",
            hint: "name another file with `--out`")
        ])
      }
      trials = old.trials
      whole = bytes.count - old.droppedBytes
    }
    let writer = try ResultsWriter(path: path, keeping: whole)
    if whole == nil { try writer.append(header.json) }
    let replies = try record.map { try ReplyRecorder(path: $0, model: runner.model) }
    let total = runner.suite.samples.count * header.repeats
    for (sample, repetition) in missing(from: trials) {
      try Task.checkCancellation()
      let client = recorded?.client(sample: sample.id, repetition: repetition) ?? runner.model.client
      let folder = try Self.temporaryFolder()
      defer { Self.remove(folder) }
      let (trial, turns) = try await runner.run(sample, repetition: repetition, client: client, in: folder)
      try replies?.append(turns, sample: sample.id, repetition: repetition)
      try writer.append(trial.json)
      trials.append(trial)
      progress(trials.count, total)
    }
    return SuiteResults(header: header, trials: trials)
  }

  private static func temporaryFolder() throws(Diagnostic) -> String {
    let base = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    var template = Array("\(base)/remit-trial-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Diagnostic("no-folder", at: nil, "`\(visible(base))`: cannot make a folder for a trial: \(String(cString: strerror(errno)))")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes a trial's folder with the files of its store.
  private static func remove(_ folder: String) {
    if let open = opendir(folder) {
      while let entry = readdir(open) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        unlink("\(folder)/\(name)")
      }
      closedir(open)
    }
    rmdir(folder)
  }
}
