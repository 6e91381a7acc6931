import Audit
import Core
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import Governance

/// A store with a small process, people and a counting connector, for tests of the gate.
struct Workbench {
  let gate: PermissionGate
  let runner: ToolRunner
  let connector: CountingConnector
  let clock: ManualClock

  static let organisation = """
    { roles: { clerk: "Clerk", finance: "Finance", compliance: "Compliance", owner: "Owner" },
      people: {
        ana: { name: "Ana", roles: ["clerk"] }, ben: { name: "Ben", roles: ["finance"] }, cleo: { name: "Cleo", roles: ["finance", "clerk"] },
        dora: { name: "Dora", roles: ["compliance"] }, olaf: { name: "Olaf", roles: ["owner"] },
      } }
    """

  static let process = """
    {
      process: "payments", title: "Payments", owner: "role:owner", purpose: "Pay what is due.",
      triggers: [{ form: "payment-request", role: "clerk", fields: ["payee", "amount"] }],
      fields: {
        payee: { type: "string", minLength: 1, maxLength: 100 },
        amount: { type: "number", minimum: 0 },
        risk: { enum: ["low", "high"] },
        iban: { type: "string", sensitivity: "confidential", required: false },
      },
      agents: { bot: { owner: "user:olaf", tools: ["complete_step", "set_fields", "comment", "bank.pay", "bank.balance"], budget: { turns: 4 } } },
      tools: {
        "bank.pay": {
          connector: "command", command: ["tools/true"], effect: "external", sink: ["to"],
          arguments: { type: "object", properties: { to: { type: "string" }, amount: { type: "number" } }, required: ["to", "amount"] },
          facts: { receipt: { type: "string" } },
        },
        "bank.balance": {
          connector: "command", command: ["tools/true"], effect: "read",
          arguments: { type: "object", properties: {} }, facts: { balance: { type: "number" } },
        },
        "bank.close": {
          connector: "command", command: ["tools/true"], effect: "external", idempotent: true,
          arguments: { type: "object", properties: { account: { type: "string" } }, required: ["account"] },
        },
      },
      steps: [
        { step: "assess", title: "Assess", agent: "bot", prompt: "assess", writes: ["risk"], risk: "low" },
        { step: "pay", title: "Pay", tool: "bank.pay", arguments: { to: "run.payee", amount: "run.amount" } },
        { step: "file", title: "File it", role: "clerk", form: [] },
      ],
    }
    """

  static let rules = """
    { policy: "payments", rules: [
      { id: "agents-read", permit: "bank.balance", by: "agent:*" },
      { id: "small-payments", permit: "bank.pay", when: "args.amount <= 100.0" },
      { id: "large-payments", hold: "bank.pay", when: "args.amount > 100.0", approval: { roles: ["finance"], within: "P1D" } },
      { id: "two-for-huge", hold: "bank.pay", when: "args.amount > 10000.0", approval: { roles: ["finance"], count: 2 } },
      { id: "agents-pay-nobody-else", forbid: "bank.pay", by: "agent:*", when: "args.to != run.payee" },
      { id: "high-risk-is-reviewed", hold: "complete_step", by: "agent:*", when: "has(args.fields) && args.fields.risk == 'high'", approval: { roles: ["compliance"] } },
    ] }
    """

  static func release(rules: String = Workbench.rules, process: String = Workbench.process) -> ReleaseBundle {
    ReleaseBundle(
      process: "payments",
      files: [
        ("process.json5", Array(process.utf8)), ("rules.json5", Array(rules.utf8)),
        ("prompts/assess/v1.md", Array("Assess {{fields}}".utf8)),
      ])
  }

  static let operatorIdentity = Identity(principal: "user:root", account: "root", mode: .singleOperator, isOperator: true)

  static func person(_ id: String) -> Identity { Identity(principal: "user:\(id)", account: id, mode: .singleOperator) }

  init(
    _ folder: String, faults: FaultPlan = .none, clock: ManualClock = ManualClock(), seed: UInt64 = 1, name: String = "store.sqlite",
    watch: ClockWatch? = nil
  )
    async throws
  {
    var options = StoreOptions()
    options.time = clock.source
    options.random = .seeded(seed)
    options.faults = faults
    let store = try await AuditStore<GovernanceLedger>.open("\(folder)/\(name)", projections: GovernanceProjections.all, options: options)
    gate = PermissionGate(store: store, random: .seeded(seed &+ 1000), watch: watch)
    connector = CountingConnector(folder: folder)
    runner = ToolRunner(gate: gate, connectors: [.command: connector])
    self.clock = clock
  }

  /// Opens the log, sets the directory and makes the release.
  func prepare(rules: String = Workbench.rules, process: String = Workbench.process) async throws {
    _ = try await gate.openLog(by: Self.operatorIdentity)
    let directory = try Directory.load(try PositionedJSON.parseJSON5(Array(Self.organisation.utf8)))
    let set = try await gate.setDirectory(directory, by: Self.operatorIdentity)
    #expect(set.verdict == .permit)
    let made = try await gate.makeRelease(Self.release(rules: rules, process: process), by: Self.operatorIdentity)
    #expect(made.verdict == .permit)
  }

  /// Gives people other accounts, or adds people, as a later organisation would.
  func setPeople(_ people: (Directory) -> [Directory.Person]) async throws {
    let directory = try await gate.store.read { try $0.shared().directory }
    let set = try await gate.setDirectory(Directory(people: people(directory), roles: directory.roles), by: Self.operatorIdentity)
    #expect(set.verdict == .permit)
  }

  func person(_ id: String, _ tool: String, _ arguments: JSONObject, run: String? = nil, step: String? = nil) -> Proposal {
    Proposal(id: gate.mintID(), principal: "user:\(id)", identity: Self.person(id), tool: tool, arguments: arguments, run: run, step: step)
  }

  func agent(_ tool: String, _ arguments: JSONObject, run: String, step: String = "assess", agent: String = "bot") -> Proposal {
    Proposal(id: gate.mintID(), principal: "agent:\(agent)", tool: tool, arguments: arguments, run: run, step: step, reason: "because")
  }

  /// A run of Ana's for that amount.
  func start(amount: Double = 50, payee: String = "Acme") async throws -> String {
    let run = gate.mintRunID()
    let fields: JSONObject = ["payee": .string(payee), "amount": .number(JSONNumber(amount) ?? JSONNumber(0))]
    let outcome = try await gate.submit(person("ana", "run.start", ["process": "payments", "fields": .object(fields)], run: run))
    #expect(outcome.verdict == .permit, "\(outcome.refusal?.message ?? "")")
    return run
  }

  /// The refusal of a decision that is expected to be refused.
  func refusal(_ proposal: GateOutcome, _ decision: PermissionGate.PersonDecision = .approve, by identity: Identity) async -> Refusal? {
    await #expect(throws: Refusal.self) { try await gate.decide(proposal.proposal, decision, by: identity, digest: proposal.digest) }
  }

  func status(_ proposal: String, in run: String) async throws -> ProposalRecord.Status? {
    try await state(run).proposal(proposal)?.status
  }

  func state(_ run: String) async throws -> RunRecord {
    try #require(try await gate.store.read { try $0.run(run) })
  }

  /// The tool step's call, as the engine proposes it.
  func proposePayment(_ run: String, to: String? = nil, amount: Double? = nil) async throws -> GateOutcome {
    let state = try await state(run).state
    let arguments: JSONObject = [
      "to": to.map { .string($0) } ?? state.value(of: "payee") ?? .null,
      "amount": amount.flatMap { JSONNumber($0) }.map { .number($0) } ?? state.value(of: "amount") ?? .null,
    ]
    return try await gate.submit(
      Proposal(id: gate.mintID(), principal: "system:engine", tool: "bank.pay", arguments: arguments, run: run, step: "pay"))
  }

  /// A run whose agent has done its part.
  func assessed(amount: Double = 50) async throws -> String {
    let run = try await start(amount: amount)
    let outcome = try await gate.submit(agent("complete_step", ["fields": ["risk": "low"]], run: run))
    #expect(outcome.verdict == .permit, "\(outcome.refusal?.message ?? "")")
    return run
  }

  /// How many entries of a type the log has.
  func entries(_ type: String) async throws -> Int {
    try await gate.store.read { context in
      var count = 0
      try context.forEachEntry(in: 0..<context.head.size) { if $0.type == type { count += 1 } }
      return count
    }
  }

  /// Verifies the log in full.
  func expectVerified() async throws {
    let report = try await gate.store.verify()
    #expect(report.ok, "\(report.problems)")
  }
}

/// A clock that a test sets.
final class ManualClock: Sendable {
  private let now = Locked(Instant(milliseconds: 1_800_000_000_000))
  var source: TimeSource { TimeSource { self.now.withLock { $0 } } }
  func advance(_ duration: Duration) { now.withLock { $0 = $0 + duration } }
  func set(_ instant: Instant) { now.withLock { $0 = instant } }
}

/// A connector that writes a receipt file for every execution, so that they can be counted from outside.
final class CountingConnector: Connector {
  private let folder: String
  private let answers = Locked<[EffectOutcome]>([])

  init(folder: String) { self.folder = folder }

  func answerNext(_ outcome: EffectOutcome) { answers.withLock { $0.append(outcome) } }

  func call(_ grant: borrowing Grant) async -> EffectOutcome {
    let name = "\(folder)/receipt-\(grant.idempotencyKey)-\(grant.attempt)"
    try? RegularFile.writeAtomically(Array(JSON.object(grant.arguments).text().utf8), to: name)
    let scripted = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    return scripted ?? .finished(["receipt": "R-1", "balance": 5])
  }

  var receipts: [String] { (try? Conformance.names(in: folder).filter { $0.hasPrefix("receipt-") }) ?? [] }
}
