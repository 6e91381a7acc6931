public import Core

/// The checked and compiled rules of one file.
///
/// Immutable: the same request gets the same decision every time.
///
/// Reading a file finds every problem in it; deciding with a rule set that was read never fails. A rule whose condition cannot be
/// evaluated for some request is part of the decision.
public struct RuleSet: Sendable {
  /// The most rules that a file has.
  public static let maximumRules = 10_000
  /// The longest condition, in UTF-8 bytes.
  public static let maximumConditionBytes = 16_384
  /// The most steps that evaluating one condition takes; more is an error of the rule.
  public static let maximumSteps = 100_000
  /// How large a value is taken to be when the cost of a condition is estimated: the elements in it and the bytes of its texts.
  public static let assumedSize = 200
  /// What the id of each rule of a guard begins with in decisions; no rule of a process can.
  public static let guardPrefix = "guard:"
  /// What stands for the deciding rule where nothing matched; no rule can have it as its id.
  public static let defaultRule = "default"

  /// The name that the file gives its rules.
  public var policy: String { compiled.policy }
  /// The time at which the rules' tests, and replays of recordings that have none, are decided; where the file says so.
  public var now: Instant? { compiled.now }
  /// The rules in file order.
  public var rules: [Rule] { compiled.rules }
  /// What is probably not meant, though it can be used.
  public var warnings: [Diagnostic] { compiled.warnings }

  /// Who decides where a fact is missing that a rule reads; nil where such a rule counts as one that errs.
  public var missing: Rule.Approval? { compiled.missing }

  /// Whether a rule permits only within an allowance.
  public var hasEarned: Bool { compiled.hasEarned }

  /// Whether a condition reads one of these members of `labels`: what nobody reads need not be worked out.
  public func readsLabels(_ groups: [String]) -> Bool {
    compiled.labelGroups.contains("") || groups.contains { compiled.labelGroups.contains($0) }
  }

  /// One reference, so that a decision can hold on to its rules at no cost.
  let compiled: CompiledRules

  /// Checks and compiles a file of rules.
  ///
  /// - Parameters:
  ///   - file: The parsed text, with its places.
  ///   - environment: What the rules may name.
  /// - Returns: The rules, ready to decide.
  /// - Throws: Every problem that was found, each with its place. Nothing is kept of a file with a problem.
  /// - Complexity: O(n) for n bytes, apart from the indexes, which take O(r² / 64) words for r rules about one tool.
  public static func load(_ file: PositionedJSON, environment: PolicyEnvironment) throws(Diagnostics) -> RuleSet {
    var loader = RuleLoader(environment: environment)
    let (policy, now, missing) = loader.load(file)
    if !loader.problems.errors.isEmpty { throw Diagnostics(loader.problems.all) }
    return RuleSet(
      compiled: CompiledRules(
        policy: policy, now: now, missing: missing, rules: loader.rules, conditions: loader.conditions, environment: loader.compiler.base,
        kind: environment.kind, warnings: loader.problems.warnings))
  }

  /// Reads, checks and compiles the text of a file of rules.
  ///
  /// - Returns: The rules, ready to decide.
  /// - Throws: Every problem that was found, each with its place.
  public static func load(_ bytes: [UInt8], file: String?, environment: PolicyEnvironment) throws(Diagnostics) -> RuleSet {
    let parsed: PositionedJSON
    do throws(JSONError) {
      parsed = try PositionedJSON.parseJSON5(bytes, file: file)
    } catch {
      throw Diagnostics([error.diagnostic])
    }
    return try load(parsed, environment: environment)
  }

  /// The rule with an id, byte for byte.
  public func rule(_ id: String) -> Rule? { compiled.place(of: id).map { compiled.rules[$0] } }
}
