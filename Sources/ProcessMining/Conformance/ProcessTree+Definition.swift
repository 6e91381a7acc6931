public import ProcessModel

extension ProcessTree {
  /// The normal course of a process: what a run does where nothing is late and nothing goes wrong.
  ///
  /// Activities are the ids of steps. A step with a condition, and one that somebody may skip, can be left out; so can every part of a
  /// parallel that joins before all are done. Waits and tables show nothing. The items of an `each` are worked on one after the other
  /// here: side by side, their steps may mix in any way, and then any order of the body's steps fits. Handlers are no part of the normal
  /// course. So a tree allows a little more than the process; what does not fit it does not fit the process either.
  public init(_ process: ProcessDefinition) { self.init(process.root) }

  private init(_ block: Block) {
    func optional(_ tree: ProcessTree) -> ProcessTree { .choice([tree, .silent]) }
    func body(_ branch: Branch) -> ProcessTree { branch.body.map { ProcessTree($0) } ?? .silent }
    switch block {
    case .step(let step):
      let activity = ProcessTree.activity(step.id)
      self = step.when == nil && step.skip == nil ? activity : optional(activity)
    case .sequence(_, let blocks): self = .sequence(blocks.map { ProcessTree($0) })
    case .choose(_, let branches): self = .choice(branches.map(body))
    case .chooseAll(_, let branches): self = .parallel(branches.map { $0.when == nil ? body($0) : optional(body($0)) })
    case .parallel(_, let blocks, let join):
      let parts = blocks.map { ProcessTree($0) }
      self = .parallel(join.map { $0 < parts.count } == true ? parts.map(optional) : parts)
    case .repeat(_, let body, _, _): self = .loop(body: ProcessTree(body), redo: [.silent])
    case .each(let each):
      let isOrdered = each.isSequence && each.join == nil || each.body.steps.count == 1
      let item = isOrdered ? ProcessTree(each.body) : .choice(each.body.steps.map { .activity($0.id) })
      self = optional(.loop(body: item, redo: [.silent]))
    case .wait, .table: self = .silent
    }
  }
}
