import Core
import ProcessModel
import Testing

/// The wire form of events: stable, without confidential content in its structure, and readable after redaction.
@Suite("Event coding")
struct CodingTests {
  static let digest = SHA256.hash("contract")
  static let step = Occurrence("collect")

  /// Every kind of event, with each of its optional parts there and not.
  static let samples: [(event: RunEvent, structure: String, value: String?)] = [
    (
      .runStarted(run: "r1", process: "p", release: "abc", requester: "user:ana", trigger: "go"),
      #"{"$":"run.started","by":"user:ana","process":"p","release":"abc","run":"r1","trigger":"go"}"#, nil
    ),
    (
      .runStarted(run: "r1", process: "p", release: "abc", requester: "user:ana", trigger: nil),
      #"{"$":"run.started","by":"user:ana","process":"p","release":"abc","run":"r1"}"#, nil
    ),
    (
      .fieldsSet([NamedValue("vendor", "SECRET"), NamedValue("amount", 12)], step: step, by: "user:ana", origin: Origin("user:ana")),
      #"{"$":"fields.set","at":"collect","by":"user:ana","names":["vendor","amount"]}"#, #"{"vendor":"SECRET","amount":12}"#
    ),
    (
      .fieldsSet([NamedValue("vendor", "SECRET")], step: nil, by: "user:ana", origin: Origin("form:go", trusted: false)),
      #"{"$":"fields.set","by":"user:ana","names":["vendor"],"origin":"form:go","untrusted":true}"#, #"{"vendor":"SECRET"}"#
    ),
    (
      .factsLearned([NamedValue("status", "SECRET")], step: step, tool: "crm.lookup", origin: Origin("tool:crm.lookup", trusted: false)),
      #"{"$":"facts.learned","at":"collect","names":["status"],"origin":"tool:crm.lookup","tool":"crm.lookup","untrusted":true}"#,
      #"{"status":"SECRET"}"#
    ),
    (
      .factsLearned([NamedValue("status", "SECRET")], step: nil, tool: nil, origin: Origin("document:policy.md")),
      #"{"$":"facts.learned","names":["status"],"origin":"document:policy.md"}"#, #"{"status":"SECRET"}"#
    ),
    (
      .evidenceAttached(name: "contract", digest: digest, media: "application/pdf", size: 12, step: step, by: "user:ana"),
      #"{"$":"evidence.added","at":"collect","by":"user:ana","digest":"\#(digest.hex)","media":"application/pdf","name":"contract","size":12}"#,
      nil
    ),
    (.commented(text: "SECRET", step: step, by: "user:ana"), #"{"$":"comment","at":"collect","by":"user:ana"}"#, #""SECRET""#),
    (.commented(text: "SECRET", step: nil, by: "user:ana"), #"{"$":"comment","by":"user:ana"}"#, #""SECRET""#),
    (
      .stepReady(step, performer: .role("clerk"), title: "Collect", due: nil, attempt: 1),
      #"{"$":"step.ready","at":"collect","for":"role:clerk","title":"Collect"}"#, nil
    ),
    (
      .stepReady(Occurrence("collect", 3), performer: .agent("bot"), title: "Collect", due: Instant(milliseconds: 1000), attempt: 2),
      #"{"$":"step.ready","at":"collect#3","attempt":2,"due":1000,"for":"agent:bot","title":"Collect"}"#, nil
    ),
    (.stepCompleted(step, by: "user:ana"), #"{"$":"step.completed","at":"collect","by":"user:ana"}"#, nil),
    (.stepClosed(step, reason: .interrupted), #"{"$":"step.closed","at":"collect","reason":"interrupted"}"#, nil),
    (
      .handedOver(step, to: .user("ana"), by: "system:runtime", code: "budget", text: "SECRET"),
      #"{"$":"step.moved","at":"collect","by":"system:runtime","code":"budget","for":"user:ana"}"#, #""SECRET""#
    ),
    (.escalated(step, to: .role("owner")), #"{"$":"step.escalated","at":"collect","for":"role:owner"}"#, nil),
    (
      .questionAsked(id: "q1", step: step, by: "agent:bot", text: "SECRET"),
      #"{"$":"question.asked","at":"collect","by":"agent:bot","id":"q1"}"#, #""SECRET""#
    ),
    (.questionAnswered(id: "q1", by: "user:ana", text: "SECRET"), #"{"$":"question.answered","by":"user:ana","id":"q1"}"#, #""SECRET""#),
    (
      .exceptionRaised(id: "x1", at: step, by: "user:ana", code: "broken", text: "SECRET"),
      #"{"$":"exception.raised","at":"collect","by":"user:ana","code":"broken","id":"x1"}"#, #""SECRET""#
    ),
    (
      .exceptionResolved(id: "x1", by: "handler:h", resolution: .proceed),
      #"{"$":"exception.resolved","by":"handler:h","id":"x1","resolution":"proceed"}"#, nil
    ),
    (
      .assigned(step, to: "user:kira", by: "user:ana", text: "SECRET"),
      #"{"$":"step.assigned","at":"collect","by":"user:ana","to":"user:kira"}"#, #""SECRET""#
    ),
    (.assigned(step, to: nil, by: "user:ana", text: nil), #"{"$":"step.assigned","at":"collect","by":"user:ana"}"#, nil),
    (.stepSkipped(step, by: "user:ana", text: "SECRET"), #"{"$":"step.skipped","at":"collect","by":"user:ana"}"#, #""SECRET""#),
    (.stepReminded(step), #"{"$":"step.reminded","at":"collect"}"#, nil),
    (
      .instanceBegan(of: Occurrence("each"), iteration: 2, item: "SECRET"), #"{"$":"instance.began","at":"each","n":2}"#,
      #"{"item":"SECRET"}"#
    ),
    (.branchesChosen(Occurrence("c", 2), branches: ["a", "b"]), #"{"$":"branches.chosen","at":"c#2","branches":["a","b"]}"#, nil),
    (.tableDecided(Occurrence("route"), rules: ["small", "home"]), #"{"$":"table.decided","at":"route","rules":["small","home"]}"#, nil),
    (.stepOmitted(step), #"{"$":"step.omitted","at":"collect"}"#, nil),
    (.dueMoved(step, due: Instant(milliseconds: 1000)), #"{"$":"step.due","at":"collect","due":1000}"#, nil),
    (
      .sentBack(from: Occurrence("check", 2), to: step, by: "user:ana", text: "SECRET"),
      #"{"$":"step.sent-back","at":"check#2","by":"user:ana","to":"collect"}"#, #""SECRET""#
    ),
    (.undone(Occurrence("which")), #"{"$":"undone","at":"which"}"#, nil),
    (.reopened(Occurrence("which")), #"{"$":"block.reopened","at":"which"}"#, nil),
    (
      .runPaused(at: Instant(milliseconds: 1000), by: "user:ana", text: "SECRET"),
      #"{"$":"run.paused","by":"user:ana","since":1000}"#, #""SECRET""#
    ),
    (.runResumed(by: "user:ana"), #"{"$":"run.resumed","by":"user:ana"}"#, nil),
    (.branchChosen(Occurrence("which", 2), branch: "b"), #"{"$":"branch.chosen","at":"which#2","branch":"b"}"#, nil),
    (.iterationBegan(of: Occurrence("loop"), iteration: 2), #"{"$":"iteration.began","at":"loop","n":2}"#, nil),
    (
      .handlerBegan(handler: "h", iteration: 2, exception: "x1", target: step),
      #"{"$":"handler.began","at":"collect","exception":"x1","id":"h","n":2}"#, nil
    ),
    (.blockCompleted(Occurrence("which")), #"{"$":"block.completed","at":"which"}"#, nil),
    (
      .timerArmed(id: "collect/t", step: step, at: Instant(milliseconds: 1_767_225_600_000)),
      #"{"$":"timer.armed","at":"collect","id":"collect/t","until":1767225600000}"#, nil
    ),
    (.timerCancelled(id: "collect/t"), #"{"$":"timer.cancelled","id":"collect/t"}"#, nil),
    (.timerFired(id: "collect/t"), #"{"$":"timer.fired","id":"collect/t"}"#, nil),
    (.runCompleted, #"{"$":"run.completed"}"#, nil),
    (
      .runCancelled(by: "user:ana", code: "withdrawn", text: "SECRET"), #"{"$":"run.cancelled","by":"user:ana","code":"withdrawn"}"#,
      #""SECRET""#
    ),
  ]

  static let sampleEvents = samples.map(\.event)

  @Test func theWireFormOfEveryEventIsFixed() throws {
    for sample in Self.samples {
      let (structure, values) = RunEvent.encode([sample.event])
      #expect(try Self.canonical(structure) == "[\(sample.structure)]")
      #expect(structure == (try JSON.parse("[\(sample.structure)]")))
      let keys = structure.arrayValue?.first?.objectValue?.keys ?? []
      #expect(keys == keys.sorted(), "members are written in the order in which they are read")
      #expect(values["0"] == (try sample.value.map { try JSON.parse($0) }))
    }
    #expect(Set(Self.samples.compactMap { $0.structure.split(separator: "\"").dropFirst(3).first }).count == 36)
  }

  static func canonical(_ json: JSON) throws -> String { String(decoding: try json.canonicalBytes(), as: UTF8.self) }

  @Test func everyEventComesBack() throws {
    let (structure, values) = RunEvent.encode(Self.sampleEvents)
    #expect(try RunEvent.decode(structure: structure, values: values) == Self.sampleEvents)
    let stored = try JSON.parse(structure.canonicalBytes())
    let storedValues = try JSON.parse(JSON.object(values).canonicalBytes()).objectValue
    #expect(try RunEvent.decode(structure: stored, values: storedValues) == Self.sampleEvents)
    let shuffled = JSON.array(
      (structure.arrayValue ?? []).map { .object(JSONObject(($0.objectValue ?? [:]).reversed().map { ($0.key, $0.value) })) })
    #expect(try RunEvent.decode(structure: shuffled, values: values) == Self.sampleEvents)
  }

  @Test func structureHoldsNothingThatIsRedacted() throws {
    let (structure, values) = RunEvent.encode(Self.sampleEvents)
    #expect(!structure.text().contains("SECRET"))
    #expect(JSON.object(values).text().contains("SECRET"))
    let redacted = try RunEvent.decode(structure: structure, values: nil)
    #expect(redacted.count == Self.sampleEvents.count)
    #expect(!"\(redacted)".contains("SECRET"))
    #expect(RunEvent.encode(redacted).structure == structure, "redaction does not change the structure")
    #expect(RunEvent.encode(redacted).values.isEmpty)
  }

  @Test func partOfTheValuesCanBeRedacted() throws {
    let events: [RunEvent] = [
      .fieldsSet([NamedValue("a", 1), NamedValue("b", 2)], step: nil, by: "user:ana", origin: Origin("user:ana")),
      .commented(text: "c", step: nil, by: "user:ana"),
    ]
    let (structure, _) = RunEvent.encode(events)
    let left = try RunEvent.decode(structure: structure, values: ["0": ["b": 2]])
    #expect(
      left == [
        .fieldsSet([NamedValue("a", nil), NamedValue("b", 2)], step: nil, by: "user:ana", origin: Origin("user:ana")),
        .commented(text: nil, step: nil, by: "user:ana"),
      ])
    #expect(try RunEvent.decode(structure: RunEvent.encode(left).structure, values: RunEvent.encode(left).values) == left)
  }

  static let refused: [(name: String, structure: String, values: String, says: String)] = [
    ("no list", "{}", "{}", "events are not a list"),
    ("no object", "[1]", "{}", "event 0: an event is not an object"),
    ("no name", #"[{"at":"a"}]"#, "{}", "event 0: `$` is missing"),
    (
      "an unknown event", #"[{"$":"run.completed"},{"$":"run.moved"}]"#, "{}",
      "event 1: unknown event `run.moved`; a newer build may have written it"
    ),
    ("a missing member", #"[{"$":"step.completed","at":"a"}]"#, "{}", "event 0: `by` is missing"),
    (
      "an unknown member", #"[{"$":"block.completed","at":"a","by":"x"}]"#, "{}",
      "event 0: unknown member `by`; a newer build may have written it"
    ),
    ("a wrong type", #"[{"$":"step.completed","at":"a","by":1}]"#, "{}", "event 0: `by` is not a text"),
    ("a fraction", #"[{"$":"iteration.began","at":"a","n":1.5}]"#, "{}", "event 0: `n` is not a whole number"),
    ("a bad occurrence", ##"[{"$":"block.completed","at":"a#0"}]"##, "{}", "event 0: `at` is not an occurrence"),
    ("a bad performer", #"[{"$":"step.escalated","at":"a","for":"clerk"}]"#, "{}", "event 0: `for` is not a performer"),
    ("a bad word", #"[{"$":"step.closed","at":"a","reason":"bored"}]"#, "{}", "event 0: `reason` is not a known word"),
    (
      "a bad digest", #"[{"$":"evidence.added","at":"a","by":"x","digest":"00","media":"a/b","name":"n","size":1}]"#, "{}",
      "event 0: `digest` is not a digest"
    ),
    ("a value without its event", #"[{"$":"run.completed"}]"#, #"{"1":"x"}"#, "a value belongs to no event"),
    ("a value where none is", #"[{"$":"run.completed"}]"#, #"{"0":"x"}"#, "event 0: `run.completed` has no values"),
    ("a text that is none", #"[{"$":"comment","by":"x"}]"#, #"{"0":5}"#, "event 0: a text is not a string"),
    (
      "a value without its name", #"[{"$":"fields.set","by":"x","names":["a"]}]"#, #"{"0":{"b":1}}"#,
      "event 0: a value has no name in `names`"
    ),
  ]

  @Test func whatCannotBeReadIsNamed() throws {
    for row in Self.refused {
      let structure = try JSON.parse(row.structure)
      let values = try JSON.parse(row.values).objectValue
      do throws(RunEventError) {
        _ = try RunEvent.decode(structure: structure, values: values)
        Issue.record("\(row.name) was read")
      } catch {
        #expect(error.description == row.says, "\(row.name)")
      }
    }
  }

  /// What reading gives, in words.
  static func outcome(_ read: () throws(RunEventError) -> [RunEvent]) -> String {
    do throws(RunEventError) { return "\(try read())" } catch { return "refused: \(error)" }
  }

  @Test func eventsInCanonicalTextAreReadAsThoseOfATree() throws {
    var cases = Self.samples.map { (structure: "[\($0.structure)]", values: $0.value.map { #"{"0":\#($0)}"# } ?? "{}") }
    cases += Self.refused.map { ($0.structure, $0.values) }
    for (structure, values) in cases {
      let (tree, object) = (try JSON.parse(structure), try JSON.parse(values))
      // Without each member in turn, and with another value in its place.
      var changed = [tree]
      for (place, event) in (tree.arrayValue ?? []).enumerated() {
        for member in event.objectValue ?? [:] {
          for other: JSON? in [nil, .null, true, 1, "x", [], [:], ["x"]] {
            var (events, members) = (tree.arrayValue ?? [], event.objectValue ?? [:])
            members[member.key] = other
            members["zzz"] = members.count % 3 == 0 ? 1 : nil
            events[place] = .object(members)
            changed.append(.array(events))
          }
        }
      }
      for tree in changed {
        for values in [object, [:], ["0": "x"], ["0": ["vendor": 1]], ["0": 5, "7": 1], 3] as [JSON] {
          let wanted = Self.outcome { () throws(RunEventError) in try RunEvent.decode(structure: tree, values: values.objectValue) }
          let (text, view) = (try JSONView.parse(tree.canonicalBytes()), try JSONView.parse(values.canonicalBytes()))
          #expect(
            Self.outcome { () throws(RunEventError) in try RunEvent.decode(structure: text, values: view) } == wanted, "\(tree.text())")
        }
      }
    }
  }

  @Test func occurrencesAreReadAsTheyAreWritten() {
    for text in ["a", "a#2", "seq-of-a#10"] { #expect(Occurrence(parsing: text)?.description == text) }
    for text in ["", "#2", "a#", "a#0", "a#02", "a#-1", "a#x", "a#99999999999999999999"] { #expect(Occurrence(parsing: text) == nil) }
  }
}
