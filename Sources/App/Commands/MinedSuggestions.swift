internal import Core
internal import ProcessMining

/// A suggestion about a process, with an id that does not depend on what else was found.
enum NamedSuggestion: Sendable {
  /// What the search found and tested.
  case tested(process: String, Suggestion)
  /// What few holds seem to say.
  case early(NamedFinding, HoldSuggestion)

  var process: String {
    switch self {
    case .tested(let process, _): process
    case .early(let finding, _): finding.process
    }
  }

  var isEarly: Bool { if case .early = self { true } else { false } }

  /// The same for a needless hold whether it is tested or an early sign.
  var id: String {
    switch self {
    case .early(let finding, _): return finding.id
    case .tested(let process, let suggestion):
      var names = suggestion.subject.map(\.name)
      if suggestion.kind == .needlessHold {
        if names.count < 3 { names.append("") }
      } else {
        names.insert(suggestion.kind.rawValue, at: 0)
      }
      return "s-\(SHA256.hash(([process] + names).joined(separator: "\0")).hex.prefix(6))"
    }
  }

  var title: Shown { "\(id, .strong)  \(process)\(isEarly ? "  early sign" : "", .faint)" }

  var summary: String {
    switch self {
    case .tested(_, let suggestion): suggestion.summary
    case .early(let finding, _): finding.finding.summary
    }
  }

  func text(width: Int) -> String {
    switch self {
    case .tested(_, let suggestion): suggestion.text(width: width)
    case .early(_, let suggestion): suggestion.text(width: width)
    }
  }

  /// How to try the change out; nil where it is nothing that a command can do.
  var next: String? {
    let replay = "change Policies/\(process)/rules.json5, then `remit eval replay --rules` shows every verdict that flips"
    guard case .tested(_, let suggestion) = self else { return replay }
    switch suggestion.change {
    case .rule, .newRule: return replay
    case .process: return "change Policies/\(process)/process.json5, then `remit process check` proves what the change leaves true"
    case .document(let edit): return "change \(edit.path), then `remit process diff` shows what the next release would change"
    case .allowance(.grant): return "`remit allowance grant` asks for one, with the agreement of another person"
    case .allowance(.withdraw(let id)): return "`remit allowance stop \(id)` ends it at once"
    case .staffing: return nil
    }
  }

  var json: JSON {
    switch self {
    case .tested(let process, let suggestion):
      var object: JSONObject = ["id": .string(id), "process": .string(process), "strength": "tested"]
      for (key, value) in suggestion.json.objectValue ?? [:] { object[key] = value }
      return .object(object)
    case .early(let finding, _):
      var object: JSONObject = ["id": .string(id), "process": .string(process), "strength": "early"]
      for (key, value) in finding.json.objectValue ?? [:] { object[key] = value }
      return .object(object)
    }
  }
}

/// Everything that the log speaks for.
struct MinedSuggestions: Sendable {
  /// The tested ones of each process first, then early signs.
  var suggestions: [NamedSuggestion] = []
  /// Holds that were looked at in vain.
  var nothing: [NamedFinding] = []
  /// How many questions were asked of the log.
  var asked = 0

  /// The list for people: at most so many suggestions, and what was looked at in vain.
  func lines(width: Int, limit: Int) -> [Shown] {
    var lines: [Shown] = []
    for suggestion in suggestions.prefix(limit) {
      lines += suggestion.title.wrapped(to: width)
      lines += Shown.message(suggestion.summary).flatMap { $0.wrapped(to: width - 2) }.map { "  \($0)" }
    }
    for finding in nothing {
      lines += Shown.message("\(finding.process): \(finding.finding.summary)", .faint).flatMap { $0.wrapped(to: width) }
    }
    if suggestions.isEmpty, asked > 0 {
      lines.append("nothing to suggest: \(counted(asked, "question")) asked of the log, no answer beyond chance")
    }
    return lines
  }
}
