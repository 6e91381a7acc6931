internal import Core

extension ProcessLoader {
  func loadAgents(_ reader: ObjectReader) {
    for member in reader.members("agents") {
      guard checkIdentifier(member, "agent", sink), declare("agent", member.key, at: member.keyPosition),
        let agent = loadAgent(member)
      else { continue }
      agents.append(agent)
    }
  }

  private func loadAgent(_ member: PositionedJSON.Member) -> AgentDefinition? {
    let label = "agent `\(member.key)`"
    guard let reader = ObjectReader(member.value, label, keys: ["owner", "model", "tools", "budget"], sink) else { return nil }
    let owner = performer(reader, "owner", isRequired: true)
    let model = reader.text("model") ?? "default"
    if let models = context.models, !models.contains(where: { bytesEqual($0, model) }) {
      sink.unknown("model", model, known: models, at: reader["model"]?.position ?? member.keyPosition)
    }
    let known = Self.builtInTools + tools.map(\.name)
    let names = reader.texts("tools").compactMap { text, value -> String? in
      if known.contains(where: { bytesEqual($0, text) }) { return text }
      if declared["tool \(text)"] == nil { sink.unknown("tool", text, known: known, at: value.position) }
      return nil
    }
    let budget = loadBudget(reader, label: label)
    guard let owner else { return nil }
    return AgentDefinition(name: member.key, owner: owner, model: model, tools: names, budget: budget)
  }

  private func loadBudget(_ reader: ObjectReader, label: String) -> AgentDefinition.Budget {
    let standard = AgentDefinition.Budget.standard
    guard let value = reader["budget"],
      let budget = ObjectReader(value, "`budget` of \(label)", keys: ["turns", "tokens", "cost", "time"], sink)
    else { return standard }
    return AgentDefinition.Budget(
      turns: budget.count("turns", 1...1_000) ?? standard.turns, tokens: budget.count("tokens", 1...1_000_000_000) ?? standard.tokens,
      costMicroUSD: cost(budget), time: budget.duration("time") ?? standard.time)
  }

  /// Reads `"0.05 USD"` as millionths of a dollar.
  private func cost(_ reader: ObjectReader) -> Int64? {
    guard let text = reader.text("cost") else { return nil }
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    let digits = parts.first.map { $0.split(separator: ".", omittingEmptySubsequences: false) } ?? []
    guard parts.count == 2, parts[1] == "USD", (1...2).contains(digits.count),
      digits.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }), digits.count == 1 || digits[1].utf8.count <= 6,
      let whole = Int64(digits[0]), whole <= 1_000_000,
      let fraction = Int64((digits.count == 2 ? String(digits[1]) : "").padded(to: 6)), whole + fraction > 0
    else {
      sink.error(
        "bad-cost", at: reader["cost"]?.position, "`\(visible(text))` is not an amount of money",
        hint: "write US dollars as in \"0.05 USD\", with at most six decimals")
      return nil
    }
    return whole * 1_000_000 + fraction
  }
}

extension String {
  /// The text with zeros after it.
  fileprivate func padded(to length: Int) -> String { self + String(repeating: "0", count: max(0, length - utf8.count)) }
}
