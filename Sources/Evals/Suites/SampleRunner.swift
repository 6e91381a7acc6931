public import AgentRuntime
internal import Audit
public import Core
public import Governance
public import LLM
internal import PolicyEngine
internal import ProcessModel
internal import Storage

/// Tries an agent on samples: each one in a store of its own, through the real gate, prompt and rules, with tools that only answer what the
/// sample says.
///
/// Nothing reaches the outside but the model. Time, ids and salts are fixed, so that the same sample asks the same questions: a recording
/// of the model's replies then answers them exactly.
public struct SampleRunner: Sendable {
  /// When a run takes place whose sample does not say so.
  public static let standardTime = Instant(milliseconds: 1_767_258_000_000)

  /// The suite.
  public let suite: AgentSuite
  /// The model.
  public let model: AgentModel
  /// The release that the agent works under.
  public let release: Digest
  /// The prompt of the step: its name with its version, and the digest of its text; nil where the step has none of its own.
  public let prompt: (name: String, digest: Digest)?

  private let bundle: ReleaseBundle
  private let directory: Directory
  private let agent: AgentDefinition
  private let process: ProcessDefinition

  /// A runner.
  ///
  /// - Parameters:
  ///   - suite: The suite.
  ///   - bundle: The files of its process, as a release would pin them.
  ///   - directory: The people.
  ///   - model: The model.
  /// - Throws: What is wrong with the process's files, or that they have no such step of an agent.
  public init(_ suite: AgentSuite, bundle: ReleaseBundle, directory: Directory, model: AgentModel) throws(Diagnostics) {
    let loaded = try Release.load(bundle, directory: directory)
    func problem(_ message: String, _ known: [String] = []) -> Diagnostics {
      let hint = known.isEmpty ? nil : "the agents' steps are \(known.map { "`\($0)`" }.joined(separator: ", "))"
      return Diagnostics([Diagnostic("bad-suite", at: nil, message, hint: hint)])
    }
    let known = loaded.process.steps.filter { if case .agent = $0.performer { true } else { false } }.map(\.id)
    guard bytesEqual(loaded.process.id, suite.process) else {
      throw problem("the suite `\(visible(suite.name))` is about `\(visible(suite.process))`, not about `\(visible(loaded.process.id))`")
    }
    guard let step = loaded.process.step(suite.step), case .agent(let name) = step.performer, let agent = loaded.process.agent(name) else {
      throw problem("the process `\(visible(suite.process))` has no step `\(visible(suite.step))` that an agent does", known)
    }
    self.suite = suite
    self.bundle = bundle
    self.directory = directory
    self.model = model
    self.agent = agent
    process = loaded.process
    release = loaded.digest
    prompt = step.prompt.flatMap { loaded.prompts[$0] }.map { ("\($0.name)/\($0.version)", $0.digest) }
  }

  /// Tries one sample once.
  ///
  /// - Parameters:
  ///   - sample: The sample.
  ///   - repetition: Which time it is, from 1.
  ///   - client: What answers, in the place of the model's own client.
  ///   - folder: An empty folder for the store, which stays to the caller to remove.
  /// - Returns: What happened, and the replies that were given.
  /// - Throws: ``SampleFailure`` where the run does not come to the step, or the model was out of reach; what the store throws.
  func run(
    _ sample: EvalSample, repetition: Int, client: any ModelClient, in folder: String
  ) async throws -> (record: TrialRecord, turns: [RecordedTurn]) {
    let clock = Locked(sample.setting.time ?? Self.standardTime)
    var options = StoreOptions()
    options.time = TimeSource { clock.withLock { $0 } }
    let seed = SHA256.hash("\(sample.digest.hex) \(repetition)").hex.prefix(16)
    options.random = .seeded(UInt64(seed, radix: 16) ?? 0)
    let store = try await AuditStore<GovernanceLedger>.open(
      "\(folder)/store.sqlite", projections: GovernanceProjections.all, options: options)
    do {
      let observed = ObservedModel(client) { latency in clock.withLock { $0 = $0 + latency } }
      let gate = PermissionGate(store: store, random: options.random ?? .system)
      let world = SampleWorld(gate: gate, sample: sample, process: process, step: suite.step)
      let (run, occurrence) = try await world.begin(bundle, directory)
      let worker = AgentWorker(gate: gate, runner: world.runner, models: [agent.model: model.answered(by: observed)])
      let outcome = try await worker.work(on: occurrence, in: run)
      if let error = observed.outage { throw SampleFailure(sample: sample.id, .model(error)) }
      let history = try await store.read { try $0.history(of: run) }
      var record = TrialRecord(sample: sample.id, sampleDigest: sample.digest, repetition: repetition)
      record.expectation = sample.expectation
      record.add(outcome)
      try record.add(history, agent: agent.principal, step: occurrence.description)
      record.latency = observed.latency
      record.replies = observed.turns.map { SHA256.hash($0.exchange.responseBytes) }
      await store.close()
      return (record, observed.turns)
    } catch {
      await store.close()
      throw error
    }
  }
}

/// Why a sample could not be tried.
public struct SampleFailure: Error, Sendable, CustomStringConvertible {
  /// What went wrong.
  public enum Reason: Sendable {
    /// The run does not come to the agent's step: the sample does not fit the process.
    case setup(String)
    /// The model gave no reply, for a reason that says nothing about the agent.
    case model(ModelError)
  }

  /// The sample.
  public let sample: String
  /// What went wrong.
  public let reason: Reason

  init(sample: String, _ reason: Reason) {
    self.sample = sample
    self.reason = reason
  }

  /// Which sample, and why.
  public var description: String {
    switch reason {
    case .setup(let words): "sample `\(visible(sample))` does not come to the agent's step: \(words)"
    case .model(let error) where error.code == .notRecorded:
      "sample `\(visible(sample))`: \(error.message): the prompt, the rules, the process or the sample changed since the recording was made"
    case .model(let error): "sample `\(visible(sample))`: the model gave no reply: \(error.message)"
    }
  }
}

extension AgentModel {
  /// The same model with another client.
  func answered(by client: any ModelClient) -> AgentModel {
    AgentModel(client: client, model: model, api: api, mode: mode, endpoint: endpoint, clearance: clearance, prices: prices)
  }
}

/// Passes requests on and keeps the replies, how long they took, and why there was none.
private final class ObservedModel: ModelClient {
  private struct Seen: Sendable {
    var turns: [RecordedTurn] = []
    var latency = Duration.zero
    var outage: ModelError?
  }

  private let base: any ModelClient
  private let passed: @Sendable (Duration) -> Void
  private let seen = Locked(Seen())

  init(_ base: any ModelClient, passed: @escaping @Sendable (Duration) -> Void) {
    self.base = base
    self.passed = passed
  }

  var turns: [RecordedTurn] { seen.withLock { $0.turns } }
  var latency: Duration { seen.withLock { $0.latency } }
  var outage: ModelError? { seen.withLock { $0.outage } }

  func respond(to request: ModelRequest, deadline: ContinuousClock.Instant) async throws(ModelError) -> ModelReply {
    do throws(ModelError) {
      let reply = try await base.respond(to: request, deadline: deadline)
      let turn = RecordedTurn(request: request.digest, reply: reply)
      seen.withLock { seen in
        seen.turns.append(turn)
        seen.latency += reply.exchange.latency
      }
      passed(reply.exchange.latency)
      return reply
    } catch {
      if error.code.isOutage { seen.withLock { $0.outage = error } }
      throw error
    }
  }
}
