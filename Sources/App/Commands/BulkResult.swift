internal import Core
internal import Governance
internal import PolicyEngine

/// What became of many proposals that one command made, one by one.
struct BulkResult: Sendable {
  struct Item: Sendable {
    /// What it is about, as people read it.
    var what: String
    /// What it is about, for programs.
    var about: JSONObject
    var status: Status
    var proposal: String?
    var code: String?
    var message: String?
  }

  /// Where an item stands.
  enum Status: String, Sendable, CaseIterable {
    case done, held, refused
  }

  private(set) var items: [Item] = []

  /// Does one item; what the command line or the workspace has against it is its result, and keeps no other from being done.
  ///
  /// - Throws: What is no matter of the item alone: what the store throws.
  mutating func add(_ what: String, _ about: JSONObject, _ body: () async throws -> GateOutcome) async throws {
    do {
      let outcome = try await body()
      let status: Status = outcome.verdict == .permit ? .done : outcome.verdict == .hold ? .held : .refused
      let message =
        switch status {
        case .done: String?.none
        case .held: "it waits for approval as \(outcome.proposal)"
        case .refused: outcome.refusal?.message ?? "no rule permits it"
        }
      let code = status == .refused ? outcome.refusal?.code ?? "forbidden" : status == .held ? "held" : nil
      items.append(Item(what: what, about: about, status: status, proposal: outcome.proposal, code: code, message: message))
    } catch let error as CommandError {
      fail(what, about, error)
    }
  }

  /// Notes that an item was not even tried.
  mutating func fail(_ what: String, _ about: JSONObject, _ error: CommandError) {
    items.append(Item(what: what, about: about, status: .refused, code: error.code, message: error.message))
  }

  /// The result for the command line: what was held or refused one by one, the rest counted.
  var result: CommandResult {
    let items = items
    let counts = Status.allCases.map { status in (status, items.count { $0.status == status }) }
    var json: JSONObject = [
      "items": .array(
        items.map { item in
          var member = item.about
          member["status"] = .string(item.status.rawValue)
          member["proposal"] = item.proposal.map { .string($0) }
          if let code = item.code { member["error"] = ["code": .string(code), "message": .string(item.message ?? "")] }
          return .object(member)
        })
    ]
    for (status, count) in counts { json[status.rawValue] = .int(count) }
    let words = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0.rawValue)" }
    return CommandResult(
      exit: items.contains { $0.status == .refused } ? .failed : items.contains { $0.status == .held } ? .pending : .done,
      json: .object(json),
      notes: [Shown(words.isEmpty ? "nothing to do" : "\(counted(items.count, "item")): \(words.joined(separator: ", "))")],
      lines: { width in
        items.flatMap { item -> [Shown] in
          let tone: Shown.Tone = item.status == .done ? .good : item.status == .held ? .caution : .bad
          let message: Shown = item.message.map { ": \(Shown.sentence($0))" } ?? ""
          let line: Shown = "\(Shown(item.status.rawValue, tone))  \(item.what)\(message)"
          return line.wrapped(to: width)
        }
      })
  }
}
