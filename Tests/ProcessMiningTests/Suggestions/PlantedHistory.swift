import Core
import Foundation

@testable import ProcessMining

/// Makes the history of a payment process from a seed: a clean one, or one with a problem of a known kind at a known place.
///
/// A clean history has what every process has and what is no problem: some rejections, some wrong calls, rare branches, some rework, waits
/// that differ between steps. How much is drawn for each history. A problem is drawn too: how strong it is, and where it sits.
struct PlantedHistory {
  /// The history.
  private(set) var history: ProcessHistory
  /// What a search should find; nil for a clean history.
  private(set) var expected: (kind: Suggestion.Kind, subject: [Suggestion.Subject])?

  private var shape: Shape
  private var entry: Int64 = 0
  private var random: SeededGenerator

  static let rules: [JSONObject] = [
    ["id": "large", "hold": "erp.pay", "when": "run.amount > 1000.0", "approval": ["roles": ["finance"]]],
    ["id": "small", "permit": "erp.pay", "when": "run.amount <= 1000.0"],
    ["id": "drafts", "hold": "doc.draft", "approval": ["roles": ["manager"]]],
    ["id": "mails", "permit": "mail.send", "autonomy": "earned"],
    ["id": "books", "permit": "erp.book"], ["id": "crm", "permit": "crm.update", "autonomy": "earned"],
  ]
  static let reviewers = ["user:ana", "user:ben", "user:cem"]
  static let reasons = ["wrong tone", "wrong address", "not our template"]

  /// How often and how long things happen in one history.
  struct Shape {
    var waits: [String: Double] = [:]
    var branches: [(id: String, step: String, share: Double)] = []
    var handOffFactor: [String: Double] = [:]
    var sendBack = 0.0
    var missingEvidence = 0.0
    var omitted = 0.0
    var skipped = 0.0
    var drifted = 0.0
    var payError: (below: Double, under: Double, above: Double) = (0, 0, 0)
    var bookError: (above: Double, over: Double, rest: Double) = (0, 0, 0)
    var mailError = 0.0
    var crmError = 0.0
    var draftRejected: [Double] = []
    var reviewerShare: [Double] = []
    var reviewerFactor: [Double] = []
  }

  /// A history of the seed's making.
  init(seed: UInt64, problem: Suggestion.Kind?) {
    random = SeededGenerator(seed: seed)
    let runs = Int.random(in: 400...800, using: &random)
    history = ProcessHistory(process: "payments", owner: "finance-lead", runs: runs)
    shape = Shape()
    drawCleanShape()
    if let problem { plant(problem) }
    describeProcess()
    for run in 0..<runs { add(run: run) }
  }

  private mutating func draw(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &random) }
  private mutating func happens(_ share: Double) -> Bool { draw(0...1) < share }

  private mutating func drawCleanShape() {
    for place in ["intake", "quick-check", "deep-check", "ask-legal", "review", "archive", "notify", "decide"] {
      shape.waits[place] = draw(1...3) * 3_600_000
    }
    let third = draw(0.08...0.2)
    let first = draw(0.3...0.5)
    shape.branches = [
      ("simple", "quick-check", first), ("complex", "deep-check", 1 - first - third), ("special", "ask-legal", third),
    ]
    shape.sendBack = draw(0.02...0.1)
    shape.missingEvidence = 0
    shape.omitted = draw(0.2...0.8)
    shape.skipped = draw(0.05...0.5)
    shape.drifted = draw(0...0.2)
    let payError = draw(0.2...0.45)
    shape.payError = (below: 0, under: 0, above: payError)
    shape.bookError = (above: 0, over: 0, rest: draw(0...0.03))
    shape.mailError = draw(0.15...0.35)
    shape.crmError = draw(0...0.03)
    shape.draftRejected = Self.reasons.map { _ in 0 }.map { _ in draw(0.01...0.06) }
    shape.reviewerShare = [1.0 / 3, 1.0 / 3, 1.0 / 3]
    shape.reviewerFactor = [1, 1, 1]
  }

  private mutating func plant(_ kind: Suggestion.Kind) {
    func subject(_ parts: (String, String)...) -> [Suggestion.Subject] { parts.map { Suggestion.Subject($0.0, $0.1) } }
    let about: [Suggestion.Subject]
    switch kind {
    case .needlessHold:
      shape.payError = (below: draw(3000...4200), under: draw(0...0.005), above: draw(0.3...0.6))
      about = subject(("rule", "large"), ("tool", "erp.pay"), ("step", "settle"))
    case .missingHold:
      if happens(0.5) {
        shape.bookError = (above: draw(2500...4000), over: draw(0.25...0.6), rest: draw(0...0.01))
      } else {
        shape.bookError.rest = draw(0.12...0.35)
      }
      about = subject(("tool", "erp.book"), ("step", "settle"))
    case .deadPath:
      let dead = Int.random(in: 0..<3, using: &random)
      let rest = 1 - shape.branches[dead].share
      for index in 0..<3 { shape.branches[index].share /= rest }
      shape.branches[dead].share = 0
      about = subject(("choice", "route"), ("branch", shape.branches[dead].id))
    case .bottleneck:
      let place = ["intake", "review", "archive"][Int.random(in: 0..<3, using: &random)]
      shape.waits[place] = draw(8...20) * 7 * 3_600_000
      shape.skipped = 0.05
      about = subject(("step", place))
    case .slowHandOff:
      let from = ["role:clerk", "role:expert"][Int.random(in: 0..<2, using: &random)]
      shape.handOffFactor[from] = draw(4...8)
      about = subject(("step", "review"), ("from", from), ("to", "role:manager"))
    case .reworkLoop:
      shape.sendBack = draw(0.25...0.5)
      about = subject(("from", "review"), ("to", "intake"))
    case .missingEvidence:
      shape.missingEvidence = draw(0.25...0.5)
      about = subject(("step", "intake"), ("evidence", "contract"))
    case .unusedStep:
      shape.omitted = 1
      about = subject(("step", "notify"))
    case .skippedStep:
      shape.skipped = draw(0.9...1)
      about = subject(("step", "archive"))
    case .driftedDocument:
      shape.drifted = draw(0.65...0.95)
      about = subject(("step", "intake"), ("by", "role:assistant"))
    case .allowanceToGrant:
      shape.mailError = draw(0...0.03)
      about = subject(("agent", "agent:sender"), ("tool", "mail.send"), ("step", "notify-customer"))
    case .allowanceToWithdraw:
      shape.crmError = draw(0.12...0.35)
      about = subject(("allowance", "al-1"))
    case .overloadedReviewer:
      let person = Int.random(in: 0..<3, using: &random)
      let share = draw(0.75...0.9)
      shape.reviewerShare = (0..<3).map { $0 == person ? share : (1 - share) / 2 }
      shape.reviewerFactor[person] = draw(3...6)
      about = subject(("rule", "large"), ("person", Self.reviewers[person]))
    case .repeatedRejection:
      let reason = Int.random(in: 0..<3, using: &random)
      shape.draftRejected[reason] = draw(0.25...0.5)
      about = subject(("agent", "agent:writer"), ("tool", "doc.draft"), ("step", "write"), ("reason", Self.reasons[reason]))
    }
    expected = (kind, about)
  }

  private mutating func describeProcess() {
    history.rules = Self.rules
    history.features = [Feature("run.amount", .number), Feature("run.country", .choice), Feature("run.known", .flag)]
    history.steps = [
      .init("intake", performer: "role:clerk", document: "policy.md"), .init("quick-check", performer: "role:clerk"),
      .init("deep-check", performer: "role:expert"), .init("ask-legal", performer: "role:legal"),
      .init("review", performer: "role:manager", isControlled: true), .init("settle", performer: "agent:payer"),
      .init("write", performer: "agent:writer", prompt: "write-draft"), .init("notify-customer", performer: "agent:sender"),
      .init("archive", performer: "role:clerk"), .init("notify", performer: "role:clerk", isConditional: true),
    ]
    history.choices = [.init("route", branches: ["complex", "simple", "special"])]
  }

  // MARK: One run

  private mutating func nextEntry() -> Int64 {
    entry += 1
    return entry
  }

  /// A wait around a median: half as long to twice as long in two of three times, with a long tail.
  private mutating func wait(_ median: Double) -> Int64 {
    let normal = (0..<6).reduce(0.0) { sum, _ in sum + draw(-1...1) } / 2.0.squareRoot()
    return Int64(median * exp(0.7 * normal))
  }

  @discardableResult
  private mutating func visit(
    _ run: Int, _ step: String, _ performer: String, at ready: Int64, factor: Double = 1, evidence: [String] = []
  ) -> Int64 {
    let end = ready + wait((shape.waits[step] ?? 60_000) * factor)
    history.visits.append(
      .init(
        run: run, step: step, ready: ready, ended: end, ending: .completed, performer: performer, evidence: evidence, entry: nextEntry()))
    return end
  }

  private mutating func add(run: Int) {
    var now = Int64(run) * 3_600_000
    let amount = (draw(1...5000) * 100).rounded() / 100
    let features: [String: FeatureValue] = [
      "run.amount": .number(amount), "run.country": .choice(["DE", "FR", "PT"][Int.random(in: 0..<3, using: &random)]),
      "run.known": .flag(happens(0.5)),
    ]
    let lacksContract = happens(shape.missingEvidence)
    let goesBack = happens(shape.sendBack)
    let turn = draw(0...1)
    let branch =
      turn < shape.branches[0].share
      ? shape.branches[0] : turn < shape.branches[0].share + shape.branches[1].share ? shape.branches[1] : shape.branches[2]
    for attempt in 0..<(lacksContract || goesBack ? 2 : 1) {
      let by = happens(shape.drifted) ? "role:assistant" : "role:clerk"
      now = visit(run, "intake", by, at: now, evidence: lacksContract && attempt == 0 ? [] : ["contract"])
      history.turns.append(.init(choice: "route", branch: branch.id, entry: nextEntry()))
      let checker = ["quick-check": "role:clerk", "deep-check": "role:expert", "ask-legal": "role:legal"][branch.step] ?? ""
      now = visit(run, branch.step, checker, at: now)
      let factor = shape.handOffFactor[checker] ?? 1
      if attempt == 0, lacksContract || goesBack {
        let end = now + wait((shape.waits["review"] ?? 0) * factor)
        history.visits.append(
          .init(run: run, step: "review", ready: now, ended: end, ending: .withdrawn, performer: "role:manager", entry: nextEntry()))
        history.returns.append(.init(run: run, from: "review", to: "intake", time: end, entry: nextEntry()))
        now = end
      } else {
        now = visit(run, "review", "role:manager", at: now, factor: factor)
      }
    }
    now = addCalls(run, amount, features, at: now)
    if happens(shape.skipped) {
      history.visits.append(
        .init(run: run, step: "archive", ready: now, ended: now + 60_000, ending: .skipped, performer: "role:clerk", entry: nextEntry()))
    } else {
      now = visit(run, "archive", "role:clerk", at: now)
    }
    if happens(shape.omitted) {
      history.visits.append(
        .init(run: run, step: "notify", ready: now, ended: now, ending: .omitted, performer: "role:clerk", entry: nextEntry()))
    } else {
      now = visit(run, "notify", "role:clerk", at: now)
    }
  }

  private mutating func addCalls(_ run: Int, _ amount: Double, _ features: [String: FeatureValue], at start: Int64) -> Int64 {
    var now = start
    func call(_ agent: String, _ tool: String, _ step: String, _ basis: ProcessHistory.Call.Basis) -> ProcessHistory.Call {
      .init(run: run, proposer: agent, tool: tool, step: step, basis: basis, time: now, features: features, entry: nextEntry())
    }
    var pay = call("agent:payer", "erp.pay", "settle", amount > 1000 ? .held(["large"]) : .rule)
    if amount > 1000 {
      let error = amount < shape.payError.below ? shape.payError.under : shape.payError.above
      pay.decision = decision(wrong: happens(error), at: now)
      now = pay.decision?.time ?? now
    }
    history.calls.append(pay)
    var book = call("agent:payer", "erp.book", "settle", .rule)
    book.wasWrong = happens(shape.bookError.above > 0 && amount > shape.bookError.above ? shape.bookError.over : shape.bookError.rest)
    history.calls.append(book)
    var crm = call("agent:clerk", "crm.update", "settle", .allowance("al-1"))
    crm.wasWrong = happens(shape.crmError)
    history.calls.append(crm)
    var mail = call("agent:sender", "mail.send", "notify-customer", .unearned("mails"))
    mail.decision = decision(wrong: happens(shape.mailError), at: now)
    history.calls.append(mail)
    var draft = call("agent:writer", "doc.draft", "write", .held(["drafts"]))
    var roll = draw(0...1)
    let reason = shape.draftRejected.firstIndex { share in
      roll -= share
      return roll < 0
    }
    // What is not rejected is changed as often as not: a hold on drafts is needed.
    draft.decision = decision(wrong: reason != nil, at: now, reason: reason.map { Self.reasons[$0] })
    if reason == nil, happens(0.5) { draft.decision?.outcome = .edited }
    history.calls.append(draft)
    return now
  }

  private mutating func decision(wrong: Bool, at time: Int64, reason: String? = nil) -> ProcessHistory.Call.Decision {
    let turn = draw(0...1)
    let person = turn < shape.reviewerShare[0] ? 0 : turn < shape.reviewerShare[0] + shape.reviewerShare[1] ? 1 : 2
    let time = time + wait((shape.waits["decide"] ?? 0) * shape.reviewerFactor[person])
    return .init(
      wrong ? (reason != nil || happens(0.7) ? .rejected : .edited) : .approvedUnchanged, by: Self.reviewers[person], at: time,
      reason: wrong ? reason ?? "reason \(Int.random(in: 0..<20, using: &random))" : nil)
  }
}
