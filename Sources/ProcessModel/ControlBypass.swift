internal import Core

/// A way past a step that a control stands before, on which nobody is asked: a handler that goes on without the step, or a parallel block
/// that is done before all of it is, as an `each` is with `join`.
///
/// A person who goes past a step is held by the gate as one who completes it; what happens when time is up, something goes wrong or others
/// were faster needs nobody, so a process with such a way is not released.
public struct ControlBypass: Hashable, Sendable, CustomStringConvertible {
  /// The control's id.
  public let control: String
  /// The step that it stands before.
  public let step: String
  /// What goes on without the step.
  public let way: Way

  /// What can go on without a step.
  public enum Way: Hashable, Sendable, CustomStringConvertible {
    /// The handler of that id.
    case handler(String)
    /// The block of that id, which does not wait for all in it.
    case join(String)

    /// ``handler `h` ``.
    public var description: String {
      switch self {
      case .handler(let id): "handler `\(id)`"
      case .join(let id): "the block `\(id)`, which does not wait for all in it,"
      }
    }
  }

  /// The bypass in a sentence.
  public var description: String { "\(way) goes on without step `\(step)`, before which control `\(control)` stands" }
}

extension ProcessDefinition {
  /// Every way past a step with a control on which nobody is asked, in the order of controls, handlers and blocks.
  ///
  /// A handler whose own steps are under the same control, wherever it applies, is none.
  /// - Complexity: O(controls · (handlers + joins) · blocks).
  public var controlBypasses: [ControlBypass] {
    let joins = ([root] + handlers.compactMap(\.body)).flatMap(\.all).filter { block in
      switch block {
      case .parallel(_, _, let join): join != nil
      case .each(let each): each.join != nil
      default: false
      }
    }
    return controls.flatMap { control -> [ControlBypass] in
      guard case .step(let step) = control.before else { return [] }
      let taking = handlers.filter { goesOn($0, without: step) && !isUnder(control, $0) }.map { ControlBypass.Way.handler($0.id) }
      let leaving = joins.filter { reach(of: $0).contains(step) }.map { ControlBypass.Way.join($0.id) }
      return (taking + leaving).map { ControlBypass(control: control.id, step: step, way: $0) }
    }
  }

  private func goesOn(_ handler: Handler, without step: String) -> Bool {
    guard case .take(let body, .proceed) = handler.response, body?.steps.contains(where: { $0.id == step }) != true else { return false }
    // One for all of the process takes over from whatever raises the exception.
    guard let target = handler.of.flatMap({ block($0) }) else { return true }
    return reach(of: target).contains(step)
  }

  /// The steps in a block, and those of handlers that take over inside it.
  private func reach(of block: Block) -> Set<String> {
    var places = Set(block.all.map(\.id))
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for handler in handlers {
        guard let of = handler.of, places.contains(of), let body = handler.body, !places.contains(body.id) else { continue }
        places.formUnion(body.all.map(\.id))
        isGrowing = true
      }
    }
    return places
  }

  /// Whether the handler's own work surely meets a control that asks for the same where this one would.
  private func isUnder(_ control: Control, _ handler: Handler) -> Bool {
    guard let body = handler.body else { return false }
    let always: [Block] = if case .sequence(_, let blocks) = body { blocks } else { [body] }
    return always.contains { block in
      guard case .step(let step) = block, step.when == nil else { return false }
      return controls.contains {
        $0.before == .step(step.id) && $0.approval == control.approval && ($0.when == nil || $0.when?.source == control.when?.source)
      }
    }
  }
}
