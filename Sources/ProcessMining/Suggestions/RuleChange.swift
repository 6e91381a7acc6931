public import Core

/// A change of one rule, as the text that stands in `rules.json5` before and after.
public struct RuleChange: Hashable, Sendable {
  /// Id of the rule that changes.
  public let rule: String
  /// The rule as it is.
  public let before: JSONObject
  /// What stands in its place: the narrowed hold, if anything of it is left, and the permit for what it no longer holds.
  public let after: [JSONObject]

  /// ``before`` as JSON5.
  public var beforeText: String { JSON5Text.object(before) }

  /// ``after`` as JSON5, one rule a line.
  public var afterText: String { after.map(JSON5Text.object).joined(separator: ",\n") }

  /// Lines with `-` for what goes and `+` for what comes.
  public var diff: String {
    (["- \(beforeText)"] + after.map { "+ \(JSON5Text.object($0))" }).joined(separator: "\n")
  }

  /// Lets `condition` pass where `rule` held it.
  ///
  /// The permit is written out, since what no rule matches is forbidden; it asks for the hold's own condition as well, so that it reaches
  /// nothing that the hold did not hold.
  ///
  /// `isAlsoHeldInSteps` says, for a change without a step, whether the rule holds this tool in steps too: these stay as they are.
  init(
    holding rule: JSONObject, tool: String, step: String?, isAlsoHeldInSteps: Bool, condition: Condition, takenIDs: Set<String>
  ) {
    let id = rule["id"]?.stringValue ?? ""
    let old = rule["when"]?.stringValue.map(Self.bracketed)
    let holdsOnlyThisStep = step.map { step in rule["step"]?.stringValue.map { Names.same($0, step) } ?? false } ?? true
    let noStepTerm = step == nil && isAlsoHeldInSteps ? "!has(step.id)" : nil
    let stepTerm = holdsOnlyThisStep ? noStepTerm : step.map { "step.id == \(Condition.Comparison.literal(.choice($0)))" }
    let holdsOnlyThisTool = rule["hold"]?.stringValue.map { Names.same($0, tool) } ?? false
    let toolTerm = holdsOnlyThisTool ? nil : "tool.name == \(Condition.Comparison.literal(.choice(tool)))"
    let scope = [toolTerm, stepTerm].compactMap { $0 }

    var permit: [(String, JSON)] = [("id", .string(Self.freeID(id, takenIDs))), ("permit", .string(tool))]
    if let by = rule["by"] { permit.append(("by", by)) }
    if let step { permit.append(("step", .string(step))) }
    let granted = [old, noStepTerm].compactMap { $0 } + condition.comparisons.map(\.cel)
    if !granted.isEmpty { permit.append(("when", .string(granted.joined(separator: " && ")))) }
    if let clause = rule["clause"] { permit.append(("clause", clause)) }

    self.rule = id
    before = rule
    guard !(scope.isEmpty && condition.comparisons.isEmpty) else {
      after = [JSONObject(permit)]
      return
    }
    let released = (scope + condition.comparisons.map(\.cel)).joined(separator: " && ")
    let rest = scope.isEmpty ? condition.negatedCEL : "!(\(released))"
    let when = JSON.string([old, rest].compactMap { $0 }.joined(separator: " && "))
    var narrowed: [(String, JSON)] = []
    for (key, value) in rule {
      if key != "when" { narrowed.append((key, value)) }
      if key == "when" || (key == "hold" && old == nil) { narrowed.append(("when", when)) }
    }
    after = [JSONObject(narrowed), JSONObject(permit)]
  }

  /// In brackets unless that could not change the meaning of an `&&` around it.
  private static func bracketed(_ condition: String) -> String {
    let simple = !condition.contains("||") && !condition.contains("?")
    return simple ? condition : "(\(condition))"
  }

  /// The first of `id-unattended`, `id-unattended-2`, … that no rule has.
  private static func freeID(_ id: String, _ taken: Set<String>) -> String {
    var name = "\(id)-unattended"
    var number = 2
    while taken.contains(name) {
      name = "\(id)-unattended-\(number)"
      number += 1
    }
    return name
  }
}

/// JSON5 as people write it: bare keys, one line.
enum JSON5Text {
  static func object(_ object: JSONObject) -> String {
    object.isEmpty ? "{}" : "{ " + object.map { "\(key($0.key)): \(value($0.value))" }.joined(separator: ", ") + " }"
  }

  private static func value(_ json: JSON) -> String {
    if let object = json.objectValue { return self.object(object) }
    if let array = json.arrayValue { return "[" + array.map(value).joined(separator: ", ") + "]" }
    return json.text()
  }

  private static func key(_ name: String) -> String {
    let letters = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
    }
    let startsWithDigit = name.utf8.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? true
    return letters && !startsWithDigit ? name : JSON.string(name).text()
  }
}
