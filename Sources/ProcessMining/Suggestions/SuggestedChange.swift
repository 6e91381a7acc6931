public import Core

/// A change as a value: what to take away and what to put in its place, in the process, its rules, its staffing or its documents.
public enum SuggestedChange: Hashable, Sendable {
  /// A rule is replaced.
  case rule(RuleChange)
  /// A rule is added.
  case newRule(JSONObject)
  /// The process changes.
  case process(ProcessEdit)
  /// Other or more people do the work.
  case staffing(StaffingEdit)
  /// A controlled document or a prompt changes.
  case document(DocumentEdit)
  /// An allowance is granted or ends.
  case allowance(AllowanceEdit)

  /// One change of the block tree, by the ids of its blocks.
  public enum ProcessEdit: Hashable, Sendable {
    /// A branch of a choice goes away.
    case removeBranch(choice: String, branch: String)
    /// A step goes away.
    case removeStep(String)
    /// A step cannot be completed without that evidence.
    case requireEvidence(step: String, name: String)
    /// A step is checked before the work goes on, so that it need not come back.
    case checkAfter(step: String, performer: String)
  }

  /// One change of who does the work.
  public enum StaffingEdit: Hashable, Sendable {
    /// More people in a role, or more of their time.
    case strengthen(performer: String, place: String)
    /// Work that comes to a role from another is taken up by somebody named for it.
    case receive(from: String, to: String)
    /// Decisions of one person go to the others who may decide.
    case spread(person: String, rule: String)
  }

  /// One change of a text.
  public struct DocumentEdit: Hashable, Sendable {
    /// The document or prompt.
    public let path: String
    /// What it is about: a step, by id.
    public let step: String
    /// What it says, as far as the process knows; nil where nothing goes away.
    public let before: String?
    /// What it should say.
    public let after: String
  }

  /// One change of standing autonomy.
  public enum AllowanceEdit: Hashable, Sendable {
    /// An agent may call a tool at a step, where the condition holds.
    case grant(agent: String, tool: String, step: String?, condition: Condition)
    /// An allowance ends.
    case withdraw(id: String)
  }

  /// What changes: `rules`, `process`, `staffing`, `documents` or `allowances`.
  public var target: String {
    switch self {
    case .rule, .newRule: "rules"
    case .process: "process"
    case .staffing: "staffing"
    case .document: "documents"
    case .allowance: "allowances"
    }
  }

  /// Lines with `-` for what goes and `+` for what comes.
  ///
  /// Names stand as they are: show it through `visible`.
  public var diff: String {
    switch self {
    case .rule(let change): change.diff
    case .newRule(let rule): "+ \(JSON5Text.object(rule))"
    case .process(.removeBranch(let choice, let branch)): "- choice \(choice): branch \(branch)"
    case .process(.removeStep(let step)): "- step \(step)"
    case .process(.requireEvidence(let step, let name)): "+ step \(step): evidence: [{ name: \(JSON.string(name).text()) }]"
    case .process(.checkAfter(let step, let performer)): "+ after step \(step): a check by \(performer), before the work goes on"
    case .staffing(.strengthen(let performer, let place)): "+ \(performer): more capacity for \(place)"
    case .staffing(.receive(let from, let to)): "+ \(to): somebody named for what comes from \(from)"
    case .staffing(.spread(let person, let rule)): "- \(person): most decisions of rule \(rule)\n+ everybody who may decide: an equal part"
    case .document(let edit):
      (edit.before.map { "- \(edit.path), step \(edit.step): \($0)\n" } ?? "") + "+ \(edit.path), step \(edit.step): \(edit.after)"
    case .allowance(.grant(let agent, let tool, let step, let condition)):
      "+ allowance: \(agent) may call \(tool)\(step.map { " at step \($0)" } ?? "") when \(condition.cel)"
    case .allowance(.withdraw(let id)): "- allowance \(id)"
    }
  }
}
