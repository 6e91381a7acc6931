internal import Audit
public import Core
internal import PolicyEngine

extension ProposalRecord {
  /// Something that happened while the proposal waited, or after it was passed in an emergency.
  public struct Note: Hashable, Sendable {
    /// What happened.
    public enum Kind: Hashable, Sendable {
      /// A rule waits in this stage now; the one after its last where it is met.
      case opened(rule: String, stage: Int)
      /// Those who can decide were reminded.
      case reminded
      /// Nobody decided, and these were asked as well: principals and roles such as `role:finance`.
      case escalated(rule: String, stage: Int, rung: Int, to: [String])
      /// It waits longer.
      case extended(until: Instant)
      /// Somebody who can decide asked something.
      case asked
      /// The question of an entry was answered.
      case answered(question: Int)
      /// A person decided, after that many milliseconds in front of the card; nil where nobody measured.
      case decided(ApprovalDecision, considered: Int?)
      /// An approval in an emergency was looked at.
      case reviewed(isRight: Bool)
    }

    /// What happened.
    public let kind: Kind
    /// Who did it.
    public let by: String
    /// When, in log time.
    public let time: Instant
    /// The index of the entry, whose content has the words.
    public let entry: Int
  }

  /// The rules that hold it, each once.
  public var rulesThatHold: [String] {
    requirements.reduce(into: []) { rules, need in if !rules.contains(where: { bytesEqual($0, need.rule) }) { rules.append(need.rule) } }
  }

  /// The stage that a rule waits in, and since when.
  func stage(of rule: String) -> (stage: Int, since: Instant) {
    for note in notes.reversed() {
      if case .opened(let opened, let stage) = note.kind, bytesEqual(opened, rule) { return (stage, note.time) }
    }
    return (requirements.first { bytesEqual($0.rule, rule) }?.stage ?? 1, time)
  }

  /// Who was asked as well for a stage of a rule.
  func escalatedTo(_ rule: String, stage: Int) -> [String] {
    notes.flatMap { note -> [String] in
      guard case .escalated(let escalated, stage, _, let to) = note.kind, bytesEqual(escalated, rule) else { return [] }
      return to
    }
  }

  /// How often people were given more time.
  var extensions: Int { notes.count { if case .extended = $0.kind { true } else { false } } }

  /// The questions without an answer, by their entries.
  public var openQuestions: [Note] {
    let answered = Set(notes.compactMap { note in if case .answered(let question) = note.kind { question } else { nil } })
    return notes.filter { $0.kind == .asked && !answered.contains($0.entry) }
  }

  /// The first moment at which time does something to it: a reminder, somebody else who is asked, its end; nil where it waits for nobody.
  public var due: Instant? {
    guard status == .held else { return nil }
    return (waits.map(\.at) + [expires].compactMap(\.self)).min()
  }

  /// What time does to it while it waits.
  enum Wait {
    case reminder
    case escalation(ApprovalRequirement, rung: Int)
  }

  /// What time will do next to each rule that it waits for.
  var waits: [(at: Instant, what: Wait)] {
    var waits: [(at: Instant, what: Wait)] = []
    var reminded: Instant?
    for note in notes where note.kind == .reminded { reminded = note.time }
    for requirement in requirements where requirement.course.remind != nil || !requirement.course.escalation.isEmpty {
      let (stage, since) = stage(of: requirement.rule)
      // One of a stage's requirements stands for all of them.
      guard stage == requirement.stage,
        requirements.first(where: { $0.stage == stage && bytesEqual($0.rule, requirement.rule) }) == requirement
      else { continue }
      if let remind = requirement.course.remind { waits.append((max(since, reminded ?? since) + remind, .reminder)) }
      let rung = notes.count { note in
        if case .escalated(let rule, stage, _, _) = note.kind { bytesEqual(rule, requirement.rule) } else { false }
      }
      if rung < requirement.course.escalation.count {
        waits.append((since + requirement.course.escalation[rung].after, .escalation(requirement, rung: rung)))
      }
    }
    return waits
  }

  /// Takes a note over.
  mutating func note(_ entry: Entry) throws {
    let body = entry.bodyView
    guard body["digest"]?.stringValue == digest.hex else { throw GovernanceLedger.Misfit("a note on another proposal: the digest differs") }
    let kind: Note.Kind
    switch try body.text("note") {
    case "reminded": kind = .reminded
    case "reopened": kind = .opened(rule: try body.text("rule"), stage: Int(body["stage"]?.intValue ?? 1))
    case "escalated":
      kind = .escalated(
        rule: try body.text("rule"), stage: Int(body["stage"]?.intValue ?? 1), rung: Int(body["rung"]?.intValue ?? 0),
        to: body["to"]?.elements?.compactMap(\.stringValue) ?? [])
    case "extended":
      guard let until = body["until"]?.intValue.map({ Instant(milliseconds: $0) }), expires.map({ $0 < until }) ?? false else {
        throw GovernanceLedger.Misfit("an extension that gives no more time")
      }
      kind = .extended(until: until)
      expires = until
    case "asked": kind = .asked
    case "answered":
      let question = Int(body["question"]?.intValue ?? -1)
      guard notes.contains(where: { $0.kind == .asked && $0.entry == question }) else {
        throw GovernanceLedger.Misfit("an answer to a question that nobody asked")
      }
      kind = .answered(question: question)
    case "reviewed":
      let glass = votes.filter(\.isBreakGlass)
      guard reviewDue != nil, !glass.contains(where: { bytesEqual($0.principal, entry.principal) }) else {
        throw GovernanceLedger.Misfit("a review of what needs none, or by who did it")
      }
      kind = .reviewed(isRight: body["verdict"]?.stringValue == "right")
      judge(isRight: body["verdict"]?.stringValue == "right", at: entry.time)
    default: throw GovernanceLedger.Misfit("an unknown note")
    }
    if case .reviewed = kind {} else if status != .held { throw GovernanceLedger.Misfit("a note on a proposal that waits for nobody") }
    notes.append(Note(kind: kind, by: entry.principal, time: entry.time, entry: entry.index))
  }

  /// Takes an answer over that an agent gave.
  mutating func noteAnswer(to question: Int, _ entry: Entry) throws {
    guard status == .held, openQuestions.contains(where: { $0.entry == question }) else {
      throw GovernanceLedger.Misfit("an answer to a question that is not open")
    }
    notes.append(Note(kind: .answered(question: question), by: entry.principal, time: entry.time, entry: entry.index))
  }

  /// Takes over what a person decided, and which stages that opened.
  mutating func noteDecision(_ decision: ApprovalDecision, _ entry: Entry) throws {
    if entry.bodyView["by"] != nil {
      let considered = entry.bodyView["considered"]?.intValue.flatMap { Int(exactly: $0) }
      notes.append(Note(kind: .decided(decision, considered: considered), by: entry.principal, time: entry.time, entry: entry.index))
    }
    try noteOpened(entry)
  }

  /// Takes over which stages an entry opened.
  mutating func noteOpened(_ entry: Entry) throws {
    guard let opens = entry.bodyView["opens"]?.elements else { return }
    for opened in opens {
      guard let rule = opened["rule"]?.stringValue, let stage = opened["stage"]?.intValue.flatMap({ Int(exactly: $0) }) else {
        throw GovernanceLedger.Misfit("`opens` lacks a rule or a stage")
      }
      notes.append(Note(kind: .opened(rule: rule, stage: stage), by: entry.principal, time: entry.time, entry: entry.index))
    }
  }

  /// Whether an approval in an emergency was looked at.
  var isReviewed: Bool { notes.contains { if case .reviewed = $0.kind { true } else { false } } }

  /// Until when somebody has to look at an approval in an emergency; nil where there was none, or somebody has.
  public var reviewDue: Instant? {
    // While others still have to agree nothing has happened that could be looked at; what came to nothing needs no look.
    let cameToNothing: [Status] = [.held, .rejected, .expired, .withdrawn, .superseded, .voided]
    guard let glass = votes.last(where: \.isBreakGlass), !isReviewed, !cameToNothing.contains(status) else { return nil }
    return requirements.compactMap { $0.course.breakGlass?.within }.min().map { glass.time + $0 }
  }

  /// The roles whose holders look at it.
  var reviewers: [String] {
    requirements.flatMap { $0.course.breakGlass?.reviewers ?? [] }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}

extension RunRecord {
  /// Keeps what an agent answered to who decides about one of its calls.
  mutating func noteAnswer(_ entry: Entry) throws {
    guard let answer = entry.bodyView["answer"] else { return }
    guard let place = place(of: try answer.text("proposal")), let question = answer["question"]?.intValue else {
      throw GovernanceLedger.Misfit("an answer about a proposal that the run does not have")
    }
    try proposals[place].noteAnswer(to: Int(question), entry)
  }
}
