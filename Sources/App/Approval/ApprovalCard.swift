internal import Core

/// Everything that a person needs to decide one held proposal, as a value.
///
/// It is rendered from the exact bytes that will run.
struct ApprovalCard: Sendable {
  /// A field of the run that the proposal would change.
  struct Change: Sendable {
    var field: String
    /// What it is now; nil where it has no value.
    var before: JSON?
    var after: JSON
  }

  /// A rule or control that holds the proposal, with the words of the document that it enforces.
  struct Rule: Sendable {
    struct Clause: Sendable {
      /// `policy.md#3.2`.
      var reference: String
      var title: String?
      /// The clause's text; nil where the document cannot be read.
      var text: String?
    }

    var id: String
    /// `hold`, `permit`, or `erred`.
    var effect: String
    /// The control's statement, or the error's text.
    var statement: String?
    var clause: Clause?
    /// Who set the workspace's guard that it is a rule of, in words; nil for rules of the process.
    var guarding: String?
  }

  /// A piece of evidence attached to the run.
  struct Evidence: Sendable {
    var name: String
    var media: String
    /// Its size in bytes.
    var size: Int
    /// SHA-256 in hex.
    var digest: String
    /// Who attached it.
    var source: String?
  }

  /// Whom a call affects, and how that came to stand in it.
  struct Target: Sendable {
    /// Where it stands in the arguments.
    var pointer: String
    var text: String
    /// Where it comes from, in words.
    var origin: String
    /// Whether anybody vouches for it.
    var isVouched: Bool
  }

  /// A value that the matching rules or the agent read.
  struct Reading: Sendable {
    /// `facts.crm.lookup.score` or `run.amount`.
    var path: String
    var value: JSON
    /// Where the value comes from, such as `tool crm.lookup, untrusted`.
    var origin: String?
  }

  /// What is still needed before the proposal may run.
  struct Requirement: Sendable {
    /// The rule that asks for it.
    var rule: String
    var roles: [String]
    /// How many approvals are needed.
    var count: Int
    /// Who has approved so far.
    var approvedBy: [String]
    /// Who can never approve, such as `requester`.
    var excluded: [String]
    /// The stage of its rule, from 1.
    var stage = 1
    /// Whether it is `met`, `open` now, or comes `later`.
    var standing = "open"
    /// Who was asked as well because nobody decided.
    var askedAsWell: [String] = []
    /// The roles that may pass it alone in an emergency.
    var breakGlass: [String] = []
  }

  /// Something that a person asked before deciding.
  struct Question: Sendable {
    var by: String
    var text: String
    /// Who answered, and what; nil where nobody has.
    var answer: (by: String, text: String)?
  }

  /// A call of the same tool in the same process that people decided on before.
  struct Precedent: Sendable {
    var proposal: String
    var time: Instant
    /// Whether they found it right.
    var isRight: Bool
  }

  /// What follows from each answer, one sentence each.
  struct Consequences: Sendable {
    var approve: String
    var reject: String
    var expiry: String
  }

  var proposal: String
  /// `pending`, `approved`, `rejected`, `expired`, ….
  var status: String
  /// The short code that is typed to decide, made from the digest.
  var code: String
  /// The principal that proposes, such as `agent:risk-analyst`.
  var asker: String
  /// For whom: the run's requester.
  var onBehalfOf: String?
  /// Title and id of the process, with its release.
  var process: String
  var run: String
  /// Id and title of the step; nil for proposals outside any step.
  var step: String?
  var tool: String
  /// `read`, `state` or `external`.
  var effect: String
  /// Whether the tool says that repeating a call changes nothing; nil where that does not matter.
  var isIdempotent: Bool?
  var arguments: JSON
  var targets: [Target] = []
  var changes: [Change] = []
  var rules: [Rule] = []
  var requirements: [Requirement] = []
  /// What was asked about it, and answered.
  var questions: [Question] = []
  /// The latest calls like it, the newest first.
  var precedents: [Precedent] = []
  var evidence: [Evidence] = []
  /// The proposer's own words.
  var reason: String?
  var readings: [Reading] = []
  var consequences: Consequences
  var asked: Instant
  /// When it stops waiting; nil where it waits until somebody decides.
  var expires: Instant?
  /// SHA-256 in hex of all that the approval is bound to.
  var digest: String
  /// What an auditor must know about how this store is run, such as `single-operator mode` or `scripted model`.
  var modes: [String] = []
  /// The moment for which relative times are shown.
  var now: Instant
}

extension ApprovalCard {
  /// The card for programs: the shape of `approval show --json`.
  var json: JSON {
    var card: JSONObject = [
      "id": .string(proposal), "status": .string(status), "code": .string(code), "asker": .string(asker),
      "process": .string(process), "run": .string(run), "tool": .string(tool), "effect": .string(effect), "arguments": arguments,
    ]
    card["on_behalf_of"] = onBehalfOf.map { .string($0) }
    card["step"] = step.map { .string($0) }
    card["idempotent"] = isIdempotent.map { .bool($0) }
    card["targets"] = .array(
      targets.map {
        ["pointer": .string($0.pointer), "text": .string($0.text), "origin": .string($0.origin), "vouched": .bool($0.isVouched)]
      })
    card["changes"] = .array(
      changes.map { ["field": .string($0.field), "before": $0.before ?? .null, "after": $0.after] })
    card["rules"] = .array(
      rules.map { rule in
        var member: JSONObject = ["id": .string(rule.id), "effect": .string(rule.effect)]
        member["statement"] = rule.statement.map { .string($0) }
        member["guard"] = rule.guarding.map { .string($0) }
        if let clause = rule.clause {
          var text: JSONObject = ["reference": .string(clause.reference)]
          text["title"] = clause.title.map { .string($0) }
          text["text"] = clause.text.map { .string($0) }
          member["clause"] = .object(text)
        }
        return .object(member)
      })
    card["requirements"] = .array(
      requirements.map { need in
        [
          "rule": .string(need.rule), "roles": .array(need.roles.map { .string($0) }), "count": .int(need.count),
          "approved_by": .array(need.approvedBy.map { .string($0) }), "not": .array(need.excluded.map { .string($0) }),
          "stage": .int(need.stage), "standing": .string(need.standing),
          "asked_as_well": .array(need.askedAsWell.map { .string($0) }), "break_glass": .array(need.breakGlass.map { .string($0) }),
        ]
      })
    card["questions"] = .array(
      questions.map { question in
        var member: JSONObject = ["by": .string(question.by), "text": .string(question.text)]
        if let answer = question.answer { member["answer"] = ["by": .string(answer.by), "text": .string(answer.text)] }
        return .object(member)
      })
    card["precedents"] = .array(
      precedents.map {
        ["id": .string($0.proposal), "time": .string($0.time.iso8601), "verdict": .string($0.isRight ? "right" : "wrong")]
      })
    card["evidence"] = .array(
      evidence.map { item in
        var member: JSONObject = [
          "name": .string(item.name), "media": .string(item.media), "size": .int(item.size), "sha256": .string(item.digest),
        ]
        member["source"] = item.source.map { .string($0) }
        return .object(member)
      })
    card["reason"] = reason.map { .string($0) }
    card["read"] = .array(
      readings.map { reading in
        var member: JSONObject = ["path": .string(reading.path), "value": reading.value]
        member["origin"] = reading.origin.map { .string($0) }
        return .object(member)
      })
    card["on_approve"] = .string(consequences.approve)
    card["on_reject"] = .string(consequences.reject)
    card["on_expiry"] = .string(consequences.expiry)
    card["asked"] = .string(asked.iso8601)
    card["expires"] = expires.map { .string($0.iso8601) }
    card["digest"] = .string(digest)
    card["modes"] = .array(modes.map { .string($0) })
    return .object(card)
  }
}
