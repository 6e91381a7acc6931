internal import CEL
internal import Core

/// Proves of a decision table which rules meet, which never count, and whether every case has one.
///
/// Each input that is a field or fact takes finitely many kinds of values that its cells tell apart (listed values, and the points and gaps
/// between the constants that it is compared with), so a rule is a box of such kinds. Rules meet where their boxes do; what no box holds is
/// found by going through the inputs one by one with the set of rules that are left, each set once. Compare Calvanese et al., "Semantics,
/// analysis and simplification of DMN decision tables", Information Systems 78 (2018), doi:10.1016/j.is.2018.01.010. Of a table with a cell
/// that reads anything but its input, or uses it otherwise, nothing is claimed, and the author is told. A field without a value is no case:
/// where one may be read, that is reported as for any condition.
struct TableAnalysis {
  let table: DecisionTable
  let rules: [ProcessLoader.RuleDraft]
  let loader: ProcessLoader
  let position: SourcePosition

  func check() {
    var columns: [Column] = []
    for place in table.inputs.indices {
      switch column(place) {
      case .success(let column): columns.append(column)
      case .failure(let reason):
        guard claimsSomething else { return }
        return loader.sink.warning(
          "table-unchecked", at: position, "whether rules of table `\(table.id)` overlap or leave gaps cannot be shown: \(reason.words)",
          hint: table.otherwise == nil ? "compare inputs with constants, or add `otherwise`" : "compare inputs with constants")
      }
    }
    var boxes = Boxes(columns: columns, count: rules.count, workLeft: min(200_000, loader.casesLeft))
    defer { loader.casesLeft -= boxes.work }
    checkEmptyRules(boxes)
    checkOverlaps(boxes)
    checkShadows(&boxes)
    checkGaps(&boxes)
    if boxes.isExhausted, claimsSomething {
      loader.sink.warning(
        "table-unchecked", at: position, "whether table `\(table.id)` leaves gaps takes too many cases to show",
        hint: "split the table in two, or add `otherwise`")
    }
  }

  private var claimsSomething: Bool { table.hit == .unique || table.hit == .any || (table.otherwise == nil && !table.hit.takesAll) }

  // MARK: - Columns

  /// The kinds of values of one input, and which rules' cells each kind meets.
  struct Column {
    let name: String
    let values: [CELValue]
    /// For each kind of value the rules whose cell it meets.
    let meets: [Bits]
  }

  private struct Opaque: Error { let words: String }

  private func column(_ place: Int) -> Result<Column, Opaque> {
    let input = table.inputs[place]
    let references = input.program.references
    guard input.program.expression.path != nil, references.count == 1, let reference = references.first,
      let field = loader.definition(of: reference)
    else { return .failure(Opaque(words: "`\(input.source)` is computed")) }
    var uses = ReferenceUses()
    for test in table.rules.flatMap({ $0.cells[place] }) {
      if let other = test.program.references.first(where: { $0.slot != reference.slot }) {
        return .failure(Opaque(words: "`\(test.source)` reads `\(other)` too"))
      }
      uses.visit(test.program.expression)
    }
    guard let values = Cases.values(of: field, reference, uses) else {
      return .failure(Opaque(words: "`\(input.source)` is not only compared with constants"))
    }
    let tests = table.rules.reduce(0) { $0 + $1.cells[place].count }
    guard values.count * tests <= min(200_000, loader.casesLeft) else {
      return .failure(Opaque(words: "`\(input.source)` takes too many cases"))
    }
    loader.casesLeft -= values.count * tests
    let meets = values.map { value in
      let activation = CaseActivation(values: [reference.slot: value], named: [])
      return Bits(
        table.rules.indices.filter { rule in
          table.rules[rule].cells[place].allSatisfy { (try? $0.program.evaluateBool(activation)) == true }
        }, of: table.rules.count)
    }
    return .success(Column(name: reference.description, values: values, meets: meets))
  }

  // MARK: - Findings

  private func checkEmptyRules(_ boxes: Boxes) {
    for (place, draft) in rules.enumerated() {
      guard let column = boxes.emptyColumn(of: place) else { continue }
      let cell = draft.value["when"]?.arrayValue?[column]
      loader.sink.error(
        "unreachable-rule", at: (cell ?? draft.value).position,
        "rule `\(draft.rule.id)` of table `\(table.id)` can never apply: no value of `\(boxes.columns[column].name)` meets this cell")
    }
  }

  private func checkOverlaps(_ boxes: Boxes) {
    guard table.hit == .unique || table.hit == .any else { return }
    for (later, draft) in rules.enumerated() {
      guard let earlier = rules.indices.prefix(later).first(where: { isRival($0, later) && boxes.meeting($0, later) != nil }),
        let case_ = boxes.meeting(earlier, later)
      else { continue }
      let first = rules[earlier]
      let why = table.hit == .unique ? "and only one may" : "and say different things"
      loader.sink.error(
        "overlapping-rules", at: draft.value.position,
        "rules `\(first.rule.id)` and `\(draft.rule.id)` of table `\(table.id)` both apply when \(boxes.words(case_)), \(why)",
        hint: "`\(first.rule.id)` is at \(first.value.position); "
          + (table.hit == .unique ? "with `hit: \"first\"` it would count" : "make one narrower"))
    }
  }

  /// Whether two rules may not both apply.
  ///
  /// Outputs that are computed are compared as the run comes to the table.
  private func isRival(_ a: Int, _ b: Int) -> Bool {
    if table.hit == .unique { return true }
    return zip(rules[a].rule.outputs, rules[b].rule.outputs).contains { left, right in
      if let left = left.constant, let right = right.constant { return left != right }
      return false
    }
  }

  /// Reports rules of which others, that go first, leave nothing.
  private func checkShadows(_ boxes: inout Boxes) {
    guard table.hit == .first || table.hit == .priority else { return }
    let ranked = table.hit == .priority ? order() : Array(rules.indices)
    for (rank, rule) in ranked.enumerated() {
      guard rank > 0, boxes.emptyColumn(of: rule) == nil else { continue }
      if boxes.gap(Bits(Array(ranked.prefix(rank)), of: rules.count), within: rule) == .none, !boxes.isExhausted {
        loader.sink.error(
          "unreachable-rule", at: rules[rule].value.position,
          "rule `\(rules[rule].rule.id)` of table `\(table.id)` never counts: rules that go first take every case in which it applies")
      }
    }
  }

  /// The rules by the order of the first output.
  private func order() -> [Int] {
    guard let name = table.outputs.first, let field = loader.fields.first(where: { $0.name == name }) else { return Array(rules.indices) }
    let order = field.order
    func rank(_ rule: Int) -> Int { rules[rule].rule.outputs.first?.constant.flatMap { order.firstIndex(of: $0) } ?? order.count }
    return rules.indices.sorted { (rank($0), $0) < (rank($1), $1) }
  }

  private func checkGaps(_ boxes: inout Boxes) {
    let needsRule = !table.hit.takesAll || (table.hit == .collect && (table.aggregation == .min || table.aggregation == .max))
    let gap = boxes.gap(Bits(Array(rules.indices), of: rules.count), within: nil)
    if boxes.isExhausted { return }
    if let gap, needsRule, table.otherwise == nil {
      loader.sink.warning(
        "no-rule", at: position, "no rule of table `\(table.id)` applies when \(boxes.words(gap))",
        hint: "add `otherwise`: without it, such a run waits for a person")
    }
    if gap == nil, table.otherwise != nil {
      loader.sink.warning("idle-otherwise", at: position, "`otherwise` of table `\(table.id)` never counts: its rules take every case")
    }
  }
}
