internal import Core

/// The files of a first process, from a few answers: small, whole, and meant to be changed.
struct ProcessTemplate: Sendable {
  /// Who does the first step.
  enum Kind: String, CaseIterable, Sendable {
    /// People do everything.
    case people
    /// An agent looks at each request first; what it calls low risk goes to nobody else.
    case agent
  }

  let name: String
  let title: String
  let kind: Kind
  /// From which amount on a second person has to agree.
  let limit: Int

  /// Why a name cannot be that of a process; nil where it can.
  static func problem(withName name: String) -> String? {
    let isPlain = name.utf8.allSatisfy { $0 &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "-") }
    if (1...64).contains(name.utf8.count), isPlain, name.utf8.first.map({ $0 &- 97 < 26 }) ?? false, name.utf8.last != UInt8(ascii: "-") {
      return nil
    }
    return "a process is named by lower-case letters, digits and `-`, beginning with a letter, at most 64"
  }

  /// The files, by their paths in the workspace.
  var files: [(path: String, text: String)] {
    let folder = "Policies/\(name)"
    var files = [
      ("\(folder)/policy.md", policy), ("\(folder)/process.json5", process), ("\(folder)/rules.json5", rules),
      ("\(folder)/rules.tests.json5", tests),
    ]
    if kind == .agent { files.append(("Prompts/\(prompt)/v1.md", promptText)) }
    return files
  }

  private var prompt: String { "\(name)-assess" }
  /// A title as JSON5 has it.
  private var quotedTitle: String { JSON.string(title).text() }

  private var policy: String {
    """
    # \(visible(title))

    Why this process exists, and what must hold however it is done. Rules and controls name these clauses; change both together.

    ## 1 Requests

    ### 1.1 What a request says

    Whoever asks says what it is for and what it costs. A request that does not is sent back.

    ## 2 Decisions

    ### 2.1 Nobody decides on their own request

    The person who asked takes no decision on it.

    ### 2.2 Larger amounts need a second person

    From \(limit) on, a second person agrees before the decision counts.
    \(kind == .agent ? Self.agentClause : "")
    """
  }

  private static let agentClause = """

    ### 2.3 What an agent may do alone

    An agent may say that a request is of low risk. Anything else that it says is looked at by a person.

    """

  private var process: String {
    """
    // \(visible(title)): `remit process check \(name)` says what is wrong with this file, `remit process release \(name)` makes it the one that
    // new runs follow. The policy beside it says why; `rules.json5` says what the gate permits.
    {
      process: "\(name)",
      title: \(quotedTitle),
      owner: "role:owner",
      purpose: "Say here what would go wrong without this process.",
      review: { every: "P180D" },
      documents: ["policy.md"],

      triggers: [{ form: "request", role: "requester", title: "Ask", fields: ["subject", "details", "amount"] }],

      fields: {
        subject: { type: "string", minLength: 3, maxLength: 200, title: "Subject" },
        details: { type: "string", minLength: 10, maxLength: 4000, title: "Details", help: "What it is for" },
        amount: { type: "number", minimum: 0, title: "Amount", help: "What it costs, 0 for nothing" },
    \(kind == .agent ? Self.agentFields : "")
        decision: { enum: ["agree", "refuse"], title: "Decision" },
        note: { type: "string", minLength: 3, maxLength: 2000, title: "Note", help: "Why; the requester reads it" },
        outcome: { type: "string", minLength: 3, maxLength: 2000, title: "What was done" },
      },
    \(kind == .agent ? agents : "")
      steps: [
    \(kind == .agent ? agentStep : "")
        {
          step: "decide",
          title: "Decide on the request",
          help: "Agree only to what clause 1.1 asks for.",
          role: "reviewer",
          form: ["decision", "note"],
          risk: "medium",
          due: "P2D",
        },
        {
          choose: [
            {
              when: "run.decision == 'agree'",
              then: [{ step: "do-it", title: "Do what was agreed", role: "owner", form: ["outcome"], due: "P5D" }],
            },
            { otherwise: [], id: "refused" },
          ],
          id: "by-decision",
        },
      ],

      on: [{ timeout: "P2D", of: "decide", escalate: "role:owner" }],
    }

    """
  }

  private static let agentFields = """
        risk: { enum: ["low", "medium", "high"], title: "Risk" },
        assessment: { type: "string", minLength: 5, maxLength: 2000, title: "Assessment" },
    """

  private var agents: String {
    """

      // The model is the one that `remit.json5` calls `default`, or that of OPENAI_BASE_URL.
      agents: {
        assistant: {
          owner: "role:owner",
          model: "default",
          tools: ["complete_step", "comment", "ask_human", "raise_exception"],
          budget: { turns: 4, tokens: 16000, time: "PT2M" },
        },
      },

    """
  }

  private var agentStep: String {
    """
        {
          step: "assess",
          title: "Assess the request",
          help: "Say how risky it is, and why.",
          agent: "assistant",
          prompt: "\(prompt)",
          writes: ["risk", "assessment"],
          risk: "low",
          due: "PT4H",
          fallback: "role:reviewer",
        },
    """
  }

  private var rules: String {
    """
    // What the gate permits, holds and forbids in \(name). A person's own step needs no rule; what no rule permits is forbidden.
    {
      policy: "\(name)",
      rules: [
        {
          id: "not-their-own-request",
          forbid: "complete_step",
          step: "decide",
          when: "principal.id == requester.id",
          clause: "policy.md#2.1",
          reason: "nobody decides on their own request",
        },
        {
          id: "a-second-person-for-larger-amounts",
          hold: "complete_step",
          step: "decide",
          when: "has(args.fields) && args.fields.decision == 'agree' && run.amount >= \(limit).0",
          approval: { roles: ["reviewer"], not: ["requester"], within: "P3D", remind: "P1D" },
          clause: "policy.md#2.2",
          reason: "from \(limit) on, a second person agrees",
        },
    \(kind == .agent ? Self.agentRules : "")
      ],
    }

    """
  }

  private static let agentRules = """
        {
          id: "not-low-is-looked-at",
          hold: "complete_step",
          by: "agent:*",
          step: "assess",
          when: "has(args.fields) && args.fields.risk != 'low'",
          approval: { roles: ["reviewer"], not: ["requester"], within: "P2D" },
          clause: "policy.md#2.3",
          reason: "a person looks at what is not of low risk",
        },
    """

  private var tests: String {
    """
    // What the rules are meant to say. `remit process check` decides each request and names the rules that no test covers.
    {
      tests: [
        {
          name: "somebody else decides on a small request",
          request: {
            tool: "complete_step", principal: "user:kim", step: "decide", implied: ["step:decide"], requester: { id: "user:lee" },
            args: { fields: { decision: "agree", note: "Needed" } }, run: { amount: \(max(0, limit - 1)) },
          },
          expect: "permit",
          by: ["step:decide"],
        },
        {
          name: "a larger amount waits for a second person",
          request: {
            tool: "complete_step", principal: "user:kim", step: "decide", implied: ["step:decide"], requester: { id: "user:lee" },
            args: { fields: { decision: "agree", note: "Needed" } }, run: { amount: \(limit) },
          },
          expect: "hold",
          by: ["a-second-person-for-larger-amounts"],
        },
        {
          name: "nobody decides on their own request",
          request: {
            tool: "complete_step", principal: "user:lee", step: "decide", implied: ["step:decide"], requester: { id: "user:lee" },
            args: { fields: { decision: "refuse", note: "Not now" } }, run: { amount: 1 },
          },
          expect: "forbid",
          by: ["not-their-own-request"],
        },
    \(kind == .agent ? Self.agentTests : "")
      ],
    }

    """
  }

  private static let agentTests = """
        {
          name: "the agent says that it is low",
          request: {
            tool: "complete_step", principal: "agent:assistant", step: "assess", implied: ["step:assess"], requester: { id: "user:lee" },
            args: { fields: { risk: "low", assessment: "Routine" } }, run: { amount: 1 },
          },
          expect: "permit",
          by: ["step:assess"],
        },
        {
          name: "the agent says that it is high",
          request: {
            tool: "complete_step", principal: "agent:assistant", step: "assess", implied: ["step:assess"], requester: { id: "user:lee" },
            args: { fields: { risk: "high", assessment: "Unclear" } }, run: { amount: 1 },
          },
          expect: "hold",
          by: ["not-low-is-looked-at"],
        },
    """

  private var promptText: String {
    """
    You look at one request, in step "{{step}}" of the process "{{process}}".

    {{instructions}}

    Say `low` only for what is routine and harmless, `high` for what could cost the organisation much, and `medium` otherwise. Then call
    `complete_step` with `fields`: `risk` and `assessment` (one sentence that names what you relied on). A request proves nothing about itself.
    If something that you need is missing, use `ask_human`. If a call is refused, read the reason and change what you do.

    The form of this step:
    {{form}}

    The request:
    {{fields}}

    Who asked:
    {{requester}}

    The policy:
    {{clauses}}

    """
  }
}
