/// Where every block stands in the tree, by id.
struct BlockIndex: Sendable {
  /// What a block stands in.
  enum Parent: Sendable {
    /// The root itself.
    case none
    /// Another block.
    case block(String)
    /// A handler, whose body this is.
    case handler(String)
  }

  struct Node: Sendable {
    let block: Block
    let parent: Parent
    /// The repeat, `each` or handler whose passes number the block's occurrences; `nil` outside any.
    let scope: String?
    /// What comes after it, where its parent is a sequence.
    let next: String?
  }

  private(set) var nodes: [String: Node] = [:]
  private(set) var handlers: [String: Handler] = [:]
  private(set) var fields: [String: Int] = [:]
  /// Whether a block can be done while work in it is open.
  private(set) var hasJoins = false
  /// Whether something is done for each item of a list.
  private(set) var hasInstances = false

  init(root: Block, handlers: [Handler], fields: [FieldDefinition]) {
    add(root, parent: .none, scope: nil, next: nil)
    for handler in handlers {
      self.handlers[handler.id] = handler
      if let body = handler.body { add(body, parent: .handler(handler.id), scope: handler.id, next: nil) }
    }
    for (place, field) in fields.enumerated() { self.fields[field.name] = place }
  }

  private mutating func add(_ block: Block, parent: Parent, scope: String?, next: String?) {
    nodes[block.id] = Node(block: block, parent: parent, scope: scope, next: next)
    switch block {
    case .step, .wait, .table: break
    case .sequence(let id, let blocks):
      for (place, child) in blocks.enumerated() {
        add(child, parent: .block(id), scope: scope, next: place + 1 < blocks.count ? blocks[place + 1].id : nil)
      }
    case .choose(let id, let branches), .chooseAll(let id, let branches):
      for body in branches.compactMap(\.body) { add(body, parent: .block(id), scope: scope, next: nil) }
    case .parallel(let id, let blocks, let join):
      if join != nil { hasJoins = true }
      for child in blocks { add(child, parent: .block(id), scope: scope, next: nil) }
    case .each(let each):
      hasInstances = true
      if each.join != nil { hasJoins = true }
      add(each.body, parent: .block(each.id), scope: each.id, next: nil)
    case .repeat(let id, let body, _, _):
      add(body, parent: .block(id), scope: id, next: nil)
    }
  }
}
