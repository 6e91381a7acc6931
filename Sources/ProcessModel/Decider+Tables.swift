internal import Core

extension Decider {
  /// Sets what a decision table says, and goes on; an exception where it says nothing.
  mutating func decide(_ table: DecisionTable, _ occurrence: Occurrence) {
    do throws(TableFailure) {
      let outcome = try table.outcome(in: seen(from: occurrence), process: process, now: now)
      for (name, value) in outcome.values {
        guard let field = process.field(name) else { continue }
        do throws(RunRefusal) {
          try process.check(value, of: field)
        } catch {
          throw TableFailure(code: "bad-output", text: "table `\(table.id)`: \(error.message)")
        }
      }
      emit(.tableDecided(occurrence, rules: outcome.rules))
      emit(
        .fieldsSet(
          outcome.values.map { NamedValue($0.field, $0.value) }, step: occurrence, by: Self.engine,
          origin: Origin("table:\(table.id)", trusted: outcome.isTrusted)))
      finish(occurrence)
    } catch {
      raise(at: occurrence, by: Self.engine, code: error.code, text: error.text)
    }
  }
}
