/// A node of the process tree.
public indirect enum Block: Sendable {
  /// One piece of work.
  case step(Step)
  /// One after the other.
  case sequence(id: String, [Block])
  /// The first branch whose condition holds.
  case choose(id: String, [Branch])
  /// Every branch whose condition holds, at the same time; done when each of them is.
  case chooseAll(id: String, [Branch])
  /// All at the same time; done when `join` of them are, or, without it, every one. What is open in the others then ends.
  case parallel(id: String, [Block], join: Int?)
  /// Again and again until the condition holds after a pass; an exception after `max` passes.
  case `repeat`(id: String, body: Block, until: Condition, max: Int)
  /// Once for each item of a list.
  case each(EachBlock)
  /// Nothing but time: done when it has passed.
  case wait(id: String, Delay)
  /// Fields that rules in a table set, without anybody.
  case table(DecisionTable)

  /// How long a wait is.
  public enum Delay: Sendable {
    /// So long from when the run comes to it.
    case duration(TimeSpan)
    /// Until the moment that the expression gives as the run comes to it; one that is past is now.
    case until(Condition)
  }

  /// The stable id, given in the file or derived from the content.
  public var id: String {
    switch self {
    case .step(let step): step.id
    case .table(let table): table.id
    case .each(let each): each.id
    case .sequence(let id, _), .choose(let id, _), .chooseAll(let id, _), .parallel(let id, _, _), .repeat(let id, _, _, _),
      .wait(let id, _):
      id
    }
  }

  /// The blocks directly inside, in file order.
  public var children: [Block] {
    switch self {
    case .step, .wait, .table: []
    case .sequence(_, let blocks), .parallel(_, let blocks, _): blocks
    case .choose(_, let branches), .chooseAll(_, let branches): branches.compactMap(\.body)
    case .repeat(_, let body, _, _): [body]
    case .each(let each): [each.body]
    }
  }

  /// Every step in the block, in file order.
  public var steps: [Step] {
    if case .step(let step) = self { return [step] }
    return children.flatMap(\.steps)
  }
}

/// Work that is done once for each item of a list.
public struct EachBlock: Sendable {
  /// The id, unique in the process.
  public let id: String
  /// The items, computed as the run comes to the block; `item` names one of them inside.
  public let list: Condition
  /// What is done for each.
  public let body: Block
  /// How many items there may be.
  public let max: Int
  /// How many have to be done, after which what is open for the others ends; `nil` for all.
  public let join: Int?
  /// Whether one is begun when the one before it is done, and not all at the same time.
  public let isSequence: Bool
}

/// One way that a choice can go.
public struct Branch: Sendable {
  /// The id, unique in the choice: given, or `otherwise`, or the id of what the branch holds.
  public let id: String
  /// When it is taken; `nil` for `otherwise`.
  public let when: Condition?
  /// What is done; `nil` when nothing is.
  public let body: Block?
}

/// One piece of work.
public struct Step: Sendable {
  /// How much harm a mistake in a step can do; rules see it as `step.risk`.
  public enum Risk: String, Hashable, Sendable, CaseIterable {
    /// Easily found and undone.
    case low
    /// Costs work to undo.
    case medium
    /// Cannot be undone, or costs much.
    case high
  }

  /// One argument of a tool step.
  public struct Argument: Sendable {
    /// The argument's name.
    public let name: String
    /// What it is, computed from the run.
    public let value: Condition
  }

  /// The id, unique in the process.
  public let id: String
  /// What people read.
  public let title: String
  /// What to do, for people and for agents.
  public let help: String?
  /// Who does it.
  public let performer: Performer
  /// The fields that its performer may set: the form of a role step, what an agent step `writes`, nothing for a tool step.
  public let form: [FormField]
  /// The evidence that it asks for.
  public let evidence: [EvidenceRequirement]
  /// How long after becoming ready it is due.
  public let due: TimeSpan?
  /// How often who may do it is reminded while it is open.
  public let remind: TimeSpan?
  /// How much harm a mistake can do.
  public let risk: Risk?
  /// When the step applies, asked as the run comes to it; `nil` for always.
  public let when: Condition?
  /// Who may go past it without doing it; `nil` for nobody.
  public let skip: Performer?
  /// Whether it can only be completed with a comment.
  public let isCommentRequired: Bool
  /// The name of the prompt of an agent step.
  public let prompt: String?
  /// The arguments of a tool step.
  public let arguments: [Argument]
  /// Who gets the step when its agent gives up: `fallback` in the file, else the owner of the agent.
  public let fallback: Performer?
}
