internal import Audit
internal import Core

/// An allowance that ends because of what happened.
struct Demotion: Hashable, Sendable {
  /// The allowance.
  let name: String
  /// What kind of end it is.
  let why: AllowanceRecord.Ending
  /// The words that go with it.
  let text: String
}

extension EntryDrafting {
  /// What granting an allowance means: its terms and the evidence that the gate found.
  static func addGrant(_ proposal: Proposal, _ basis: AllowanceBasis?, to body: inout JSONObject, _ content: inout [Content]) throws {
    body["allowance"] = [
      "name": proposal.arguments["name"] ?? .null, "pins": basis?.pins.json ?? [:], "reviewed": .int(basis?.reviewed ?? 0),
      "wrong": .int(basis?.wrong ?? 0),
    ]
    content.append(Content(ContentPart.values, try JSON.object(proposal.arguments).canonicalBytes()))
  }

  /// What stopping an allowance means.
  static func addStop(_ proposal: Proposal, to body: inout JSONObject, _ content: inout [Content]) {
    body["allowance_ended"] = [
      "name": proposal.arguments["allowance"] ?? .null, "why": .string(AllowanceRecord.Ending.stopped.rawValue),
    ]
    guard let reason = proposal.arguments["reason"]?.stringValue, !content.contains(where: { $0.part == ContentPart.reason }) else {
      return
    }
    content.append(Content(ContentPart.reason, Array(reason.utf8)))
  }

  /// The entry that ends an allowance because of what happened.
  static func ended(_ demotion: Demotion, cause: Int, by principal: String) -> EntryDraft {
    EntryDraft(
      type: EntryType.allowanceEnded, principal: principal,
      body: ["allowance_ended": ["cause": .int(cause), "name": .string(demotion.name), "why": .string(demotion.why.rawValue)]],
      content: [Content(ContentPart.reason, Array(demotion.text.utf8))])
  }
}
