public import Core

/// Rules in a table: each says what some fields become where its cells hold, and the hit policy says what follows where several do.
///
/// After decision tables of DMN 1.3 (OMG formal/2021-01-01, section 8), with cells in CEL.
public struct DecisionTable: Sendable {
  /// What follows where several rules hit; also what the loader proves about the table.
  public enum HitPolicy: String, Hashable, Sendable, CaseIterable {
    /// Exactly one rule may hit.
    case unique
    /// Several may, where they say the same.
    case any
    /// The first that hits, in the order of the file.
    case first
    /// The one whose first output comes first among the values that the field lists.
    case priority
    /// All that hit, in the order of the file, put together as ``DecisionTable/aggregation`` says.
    case collect
    /// All that hit, as lists, in the order in which the field lists the values of the first output.
    case outputOrder = "output-order"

    /// Whether all rules that hit count, and not one alone.
    public var takesAll: Bool { self == .collect || self == .outputOrder }
  }

  /// How the outputs of several rules become one value.
  public enum Aggregation: String, Hashable, Sendable, CaseIterable {
    /// A list of them.
    case list
    /// Their sum, exact in decimals.
    case sum
    /// The least.
    case min
    /// The greatest.
    case max
    /// How many rules hit.
    case count
  }

  /// What a field becomes.
  public struct Output: Sendable {
    /// The field.
    public let field: String
    /// Its value, computed from the run.
    public let value: Condition
    /// The value where it is the same for every run.
    public let constant: JSON?
  }

  /// One row.
  public struct Rule: Sendable {
    /// The id, unique in the table, by which the log names the rule.
    public let id: String
    /// For each input the tests that have to hold; none where the input does not matter.
    public let cells: [[Condition]]
    /// What each field becomes, in the order of ``DecisionTable/outputs``.
    public let outputs: [Output]
    /// The clause that it comes from, such as `policy.md#3.2`.
    public let clause: String?
  }

  /// The id, unique in the process.
  public let id: String
  /// What follows where several rules hit.
  public let hit: HitPolicy
  /// How several outputs become one value, under ``HitPolicy/collect``.
  public let aggregation: Aggregation
  /// What the columns are about.
  public let inputs: [Condition]
  /// The fields that the table sets.
  public let outputs: [String]
  /// The rows, in file order.
  public let rules: [Rule]
  /// What the fields become where no rule hits; `nil` where that is an exception.
  public let otherwise: [Output]?

  /// The name by which the log says that no rule hit.
  public static let otherwiseID = "otherwise"

  /// Every expression of the table.
  var conditions: [Condition] {
    inputs + rules.flatMap { $0.cells.flatMap(\.self) + $0.outputs.map(\.value) } + (otherwise ?? []).map(\.value)
  }
}

/// What a table says of one run.
struct TableOutcome {
  /// The rules that count, in the order in which they do; `otherwise` where none hit.
  var rules: [String]
  /// What the fields become.
  var values: [(field: String, value: JSON)]
  /// Whether all that the outcome rests on may be believed.
  var isTrusted: Bool
}

/// Why a table says nothing.
struct TableFailure: Error {
  /// The exception that it is: `condition-error`, `no-rule`, `rule-conflict` or `bad-output`.
  let code: String
  let text: String
}

extension DecisionTable {
  /// What the table says of a run.
  ///
  /// An outcome is as trusted as the least trusted value that the cells, and the outputs of the rules that count, name.
  /// - Complexity: O(cells), and O(n²) comparisons of values for n rules that hit under ``HitPolicy/any``.
  func outcome(in state: RunState, process: ProcessDefinition, now: Instant) throws(TableFailure) -> TableOutcome {
    var hits: [Rule] = []
    for rule in rules where try applies(rule, in: state, now: now) {
      hits.append(rule)
      if hit == .first { break }
    }
    let isTrusted = rules.allSatisfy { $0.cells.allSatisfy { $0.allSatisfy { $0.isTrusted(in: state) } } }
    let needsOne = !hit.takesAll || (hit == .collect && (aggregation == .min || aggregation == .max))
    if hits.isEmpty, needsOne || otherwise != nil {
      guard let otherwise else {
        throw TableFailure(code: "no-rule", text: "no rule of table `\(id)` applies, and it has no `otherwise`")
      }
      return TableOutcome(
        rules: [Self.otherwiseID], values: try values(otherwise, in: state, now: now),
        isTrusted: isTrusted && otherwise.allSatisfy { $0.value.isTrusted(in: state) })
    }
    var rows: [(rule: Rule, values: [(field: String, value: JSON)])] = []
    for rule in ranked(hits, process) { rows.append((rule, try values(rule.outputs, in: state, now: now))) }
    if hit == .priority { rows = Array(rows.prefix(1)) }
    if hit == .unique || hit == .any, let first = rows.first {
      let rival = rows.dropFirst().first { row in hit == .unique || !zip(row.values, first.values).allSatisfy { $0.value == $1.value } }
      if let rival {
        let words = hit == .unique ? "both apply, and only one may" : "both apply, and say different things"
        throw TableFailure(code: "rule-conflict", text: "rules `\(first.rule.id)` and `\(rival.rule.id)` of table `\(id)` \(words)")
      }
    }
    return TableOutcome(
      rules: rows.map(\.rule.id), values: try joined(rows.map(\.values)),
      isTrusted: isTrusted && rows.allSatisfy { $0.rule.outputs.allSatisfy { $0.value.isTrusted(in: state) } })
  }

  private func applies(_ rule: Rule, in state: RunState, now: Instant) throws(TableFailure) -> Bool {
    do throws(ConditionFailure) {
      for test in rule.cells.joined() { guard try test.holds(in: state, now: now) else { return false } }
      return true
    } catch {
      throw TableFailure(code: "condition-error", text: "rule `\(rule.id)` of table `\(id)`: \(error)")
    }
  }

  private func values(_ outputs: [Output], in state: RunState, now: Instant) throws(TableFailure) -> [(field: String, value: JSON)] {
    var values: [(field: String, value: JSON)] = []
    do throws(ConditionFailure) {
      for output in outputs {
        if let constant = output.constant {
          values.append((output.field, constant))
        } else {
          values.append((output.field, try output.value.value(in: state, now: now)))
        }
      }
    } catch {
      throw TableFailure(code: "condition-error", text: "an output of table `\(id)`: \(error)")
    }
    return values
  }

  /// Rules by the place of their first output among the values that its field lists, where the hit policy asks for that.
  func ranked(_ rules: [Rule], _ process: ProcessDefinition) -> [Rule] {
    guard hit == .priority || hit == .outputOrder, let field = outputs.first.flatMap({ process.field($0) }) else { return rules }
    let order = field.order
    func rank(_ rule: Rule) -> Int { rule.outputs.first?.constant.flatMap { order.firstIndex(of: $0) } ?? order.count }
    return rules.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
  }

  private func joined(_ rows: [[(field: String, value: JSON)]]) throws(TableFailure) -> [(field: String, value: JSON)] {
    guard hit.takesAll else { return rows.first ?? [] }
    var result: [(field: String, value: JSON)] = []
    for (column, field) in outputs.enumerated() {
      result.append((field, try joined(rows.map { $0[column].value }, field)))
    }
    return result
  }

  private func joined(_ values: [JSON], _ field: String) throws(TableFailure) -> JSON {
    switch hit == .collect ? aggregation : .list {
    case .list: return .array(values)
    case .count: return .int(values.count)
    case .min, .max, .sum: break
    }
    var total: JSONNumber?
    for value in values {
      guard let number = value.numberValue else {
        throw TableFailure(code: "bad-output", text: "field `\(field)` of table `\(id)`: an output is no number")
      }
      guard let before = total else {
        total = number
        continue
      }
      switch aggregation {
      case .min: total = Swift.min(before, number)
      case .max: total = Swift.max(before, number)
      default:
        guard let sum = before.adding(number) else {
          throw TableFailure(code: "bad-output", text: "field `\(field)` of table `\(id)`: the sum has too many digits")
        }
        total = sum
      }
    }
    return .number(total ?? JSONNumber(0))
  }
}

extension FieldDefinition {
  /// The values that the field, or for a list its elements, may have, in the order in which the file lists them; empty where it lists none.
  var order: [JSON] { choices ?? schema["items"]?["enum"]?.arrayValue ?? [] }
}
