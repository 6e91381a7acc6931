internal import Core
internal import Governance

/// Held proposals that one person decides on together: the same tool for the same targets, held by the same rules in the same process.
///
/// They differ in nothing but their runs and arguments, and those are shown in full for each.
struct BatchGroup: Sendable {
  let cards: [ApprovalCard]

  /// Sorts cards into groups, in the order of their first cards.
  static func groups(of cards: [ApprovalCard]) -> [BatchGroup] {
    var groups: [(key: [String], cards: [ApprovalCard])] = []
    for card in cards {
      let key = Self.key(of: card)
      if let place = groups.firstIndex(where: { $0.key == key }) {
        groups[place].cards.append(card)
      } else {
        groups.append((key, [card]))
      }
    }
    return groups.map { BatchGroup(cards: $0.cards) }
  }

  /// What all of a group have in common; exact bytes, so that two names that only look alike are two.
  private static func key(of card: ApprovalCard) -> [String] {
    [card.tool, card.process, card.step ?? "", card.asker]
      + card.rules.map { "rule \($0.id) \($0.effect)" } + card.targets.map { "target \($0.pointer) \(Array($0.text.utf8)) \($0.isVouched)" }
  }

  /// The code that decides all of them, made from all their digests.
  var code: String { Proposal.shortCode(of: SHA256.hash(cards.map(\.digest).sorted().joined(separator: "\n"))) }

  /// Everything about the group for a screen of that many columns; the code stands at its end.
  func lines(width: Int) -> [Shown] {
    let width = max(40, width)
    guard let first = cards.first else { return [] }
    let title: Shown = "\(counted(cards.count, "proposal"), .strong): \(first.tool, .strong) (\(first.effect)), asked by \(first.asker)"
    var lines = title.wrapped(to: width) + [.rule(width)]
    let rules = first.rules.filter { $0.effect != "permit" }.map { rule in
      "\(rule.id)\(rule.clause.map { " (\($0.reference))" } ?? "")\(rule.statement.map { ": \($0)" } ?? "")"
    }
    lines += Fields([
      ("process", [Shown(first.process)]), ("held by", rules.map { Shown($0) }),
      ("targets", first.targets.isEmpty ? ["none"] : first.targets.map { Shown("\($0.text), \($0.origin)") }),
      ("approve", [Shown(first.consequences.approve)]), ("reject", [Shown(first.consequences.reject)]),
    ]).lines(width: width, indent: 2, nameWidth: 8)
    for card in cards {
      lines += [""] + Shown("\(card.proposal, .strong)  \(card.run), for \(card.onBehalfOf ?? "nobody")").wrapped(to: width)
      let rows = ValueRows(width: width)
      lines += card.arguments.objectValue?.isEmpty ?? false ? ["  (no arguments)"] : rows.lines(card.arguments)
      if let reason = card.reason { lines += Shown("  reason given (untrusted text): \(reason)", .faint).wrapped(to: width) }
      lines += Shown("  digest \(card.digest)", .faint).wrapped(to: width)
    }
    lines += ["", "code  \(code, .strong)"]
    return lines
  }
}
