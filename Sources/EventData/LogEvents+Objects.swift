public import Audit
internal import Core
public import Governance
internal import PolicyEngine
public import ProcessMining
internal import ProcessModel

extension LogEvents {
  /// The log as events about objects: runs, their steps, proposals, people's decisions on them, evidence, and who did it all.
  ///
  /// Ids are those of the log, told apart by what they begin with: `run:`, `step:`, `proposal:`, `approval:`, `evidence:`, and principals as they
  /// are (`user:ana`). Values of fields, arguments, reasons and texts are not in it.
  /// - Parameters:
  ///   - context: The view of the log.
  ///   - process: Only runs of this process; all where it is nil.
  /// - Returns: The events in log order, and the objects in the order in which they are first named.
  /// - Throws: What the store throws; ``GovernanceLedger/Misfit`` for a log that cannot be folded.
  /// - Complexity: O(n) for n entries, in memory too.
  public static func objectLog(_ context: ReadContext<GovernanceLedger>, process: String?) throws -> ObjectLog {
    var objects = ObjectTable()
    try walk(context, process: process) { entry, events, proposal, run in
      guard let id = entry.run, proposal?.isProbe != true else { return }
      objects.begin(entry, run: id, process: run?.state.process ?? "")
      for event in events {
        switch event {
        case .runStarted(_, _, _, let requester, _): objects.add("start run", by: requester)
        case .stepReady(let step, let performer, _, _, _): objects.add("ready \(step.id)", step: step, for: performer)
        case .stepCompleted(let step, let by): objects.add("complete \(step.id)", step: step, by: by)
        case .stepClosed(let step, _): objects.add("withdraw \(step.id)", step: step)
        case .stepSkipped(let step, let by, _): objects.add("skip \(step.id)", step: step, by: by)
        case .handedOver(let step, let to, let by, _, _): objects.add("hand over \(step.id)", step: step, by: by, for: to)
        case .evidenceAttached(_, let digest, let media, _, let step, let by):
          let document = objects.object("evidence:\(digest.hex)", "evidence", ["media": media])
          objects.add("attach evidence", step: step, by: by, more: [ObjectLog.Relationship(document, "evidence")])
        case .runCompleted: objects.add("complete run")
        case .runCancelled(let by, _, _): objects.add("cancel run", by: by)
        default: break
        }
      }
      switch entry.type {
      case EntryType.proposal: objects.addProposal(entry)
      case EntryType.approval: if let proposal { objects.addDecision(entry, on: proposal) }
      default: break
      }
    }
    return objects.finish()
  }
}

/// The objects and events that an object-centric log consists of, while the log is walked through.
private struct ObjectTable {
  private var log = ObjectLog()
  private var known: Set<[UInt8]> = []
  private var eventTypes: [[UInt8]: Int] = [:]
  private var entry: Entry?
  private var run = ""
  private var number = 0

  /// Names the entry that what follows stands in, and its run.
  mutating func begin(_ entry: Entry, run id: String, process: String) {
    self.entry = entry
    number = 0
    run = object("run:\(id)", "run", ["process": process])
  }

  /// The id of an object, which is made where it is named for the first time.
  mutating func object(
    _ id: String, _ type: String, _ attributes: KeyValuePairs<String, String> = [:], _ relationships: [ObjectLog.Relationship] = []
  ) -> String {
    if known.insert(Array(id.utf8)).inserted {
      log.objects.append(
        ObjectLog.Object(
          id, type, attributes: attributes.map { ObjectLog.Object.Change(LogAttribute($0.key, .text($0.value))) },
          relationships: relationships))
    }
    return id
  }

  private mutating func principal(_ id: String) -> String {
    let type = ["user": "person", "agent": "agent", "role": "role", "tool": "tool"][id.prefix { $0 != ":" }] ?? "system"
    return object(id, type)
  }

  private mutating func step(_ step: Occurrence) -> String {
    object("step:\(run.dropFirst(4))/\(step)", "step", ["step": step.id], [ObjectLog.Relationship(run, "run")])
  }

  /// Adds an event of the entry at hand.
  mutating func add(
    _ type: String, step: Occurrence? = nil, by: String? = nil, for performer: Performer? = nil, more: [ObjectLog.Relationship] = [],
    attributes: [LogAttribute] = []
  ) {
    guard let entry else { return }
    var relationships = [ObjectLog.Relationship(run, "run")]
    if let step { relationships.append(ObjectLog.Relationship(self.step(step), "step")) }
    if let by { relationships.append(ObjectLog.Relationship(principal(by), "by")) }
    if let performer { relationships.append(ObjectLog.Relationship(principal(performer.description), "for")) }
    let place = eventTypes[Array(type.utf8), default: log.eventTypes.count]
    if place == log.eventTypes.count {
      eventTypes[Array(type.utf8)] = place
      log.eventTypes.append(ObjectLog.Kind(type))
    }
    for attribute in attributes where !log.eventTypes[place].fields.contains(where: { $0.name == attribute.key }) {
      log.eventTypes[place].fields.append(ObjectLog.Kind.Field(attribute.key, .string))
    }
    log.events.append(
      ObjectLog.Event(
        "entry:\(entry.index).\(number)", type, at: entry.time.milliseconds, attributes: attributes, relationships: relationships + more))
    number += 1
  }

  /// A proposal with what the gate decided.
  mutating func addProposal(_ entry: Entry) {
    guard let id = entry.body["proposal"]?.stringValue, let tool = entry.body["tool"]?.stringValue else { return }
    let step = entry.body["step"]?.stringValue.flatMap { Occurrence(parsing: $0) }
    var belongs = [ObjectLog.Relationship(run, "run")]
    if let step { belongs.append(ObjectLog.Relationship(self.step(step), "step")) }
    let proposal = object("proposal:\(id)", "proposal", ["tool": tool], belongs)
    add(
      "propose \(tool)", step: step, by: entry.principal, more: [ObjectLog.Relationship(proposal, "proposal")],
      attributes: [LogAttribute("verdict", .text(entry.body["verdict"]?.stringValue ?? ""))])
  }

  /// What a person, or the clock, decided on a held proposal.
  mutating func addDecision(_ entry: Entry, on record: ProposalRecord) {
    guard let decision = entry.body["decision"]?.stringValue else { return }
    let proposal = ObjectLog.Relationship("proposal:\(record.id)", "proposal")
    // The proposal of a run was walked past before any decision on it.
    guard known.contains(Array(proposal.object.utf8)) else { return }
    let approval = object("approval:\(entry.index)", "approval", ["decision": decision], [proposal])
    add(
      "decide \(record.tool)", step: record.step, by: entry.principal, more: [proposal, ObjectLog.Relationship(approval, "approval")],
      attributes: [LogAttribute("decision", .text(decision))])
  }

  /// The whole log, its kinds of objects declared.
  func finish() -> ObjectLog {
    var log = log
    for object in log.objects where !log.objectTypes.contains(where: { $0.name == object.type }) {
      log.objectTypes.append(
        ObjectLog.Kind(object.type, object.attributes.map { ObjectLog.Kind.Field($0.attribute.key, .string) }))
    }
    return log
  }
}
