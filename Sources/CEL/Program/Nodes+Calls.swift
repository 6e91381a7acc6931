internal import Core

final class UnaryCallNode: Node, @unchecked Sendable {
  private let operand: Node
  private let body: @Sendable (CELValue, inout Meter) throws(Failure) -> CELValue

  init(_ operand: Node, _ offset: Int, _ body: @escaping @Sendable (CELValue, inout Meter) throws(Failure) -> CELValue) {
    self.operand = operand
    self.body = body
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    let x = try operand.value(&frame)
    do throws(Failure) { return try body(x, &frame.meter) } catch { throw error.at(offset) }
  }
}

final class BinaryCallNode: Node, @unchecked Sendable {
  private let left: Node
  private let right: Node
  private let body: @Sendable (CELValue, CELValue, inout Meter) throws(Failure) -> CELValue

  init(
    _ left: Node, _ right: Node, _ offset: Int, _ body: @escaping @Sendable (CELValue, CELValue, inout Meter) throws(Failure) -> CELValue
  ) {
    self.left = left
    self.right = right
    self.body = body
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    let x = try left.value(&frame)
    let y = try right.value(&frame)
    do throws(Failure) { return try body(x, y, &frame.meter) } catch { throw error.at(offset) }
  }
}

final class CallNode: Node, @unchecked Sendable {
  private let operands: [Node]
  private let body: @Sendable ([CELValue], inout Meter) throws(Failure) -> CELValue

  init(_ operands: [Node], _ offset: Int, _ body: @escaping @Sendable ([CELValue], inout Meter) throws(Failure) -> CELValue) {
    self.operands = operands
    self.body = body
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    var arguments: [CELValue] = []
    arguments.reserveCapacity(operands.count)
    for operand in operands { arguments.append(try operand.value(&frame)) }
    do throws(Failure) { return try body(arguments, &frame.meter) } catch { throw error.at(offset) }
  }
}

/// `text.matches('pattern')` with a constant pattern.
final class MatchesNode: BoolNode, @unchecked Sendable {
  private let operand: Node
  private let pattern: LinearRegex

  init(_ operand: Node, _ pattern: LinearRegex, _ offset: Int) {
    self.operand = operand
    self.pattern = pattern
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    let text = try operand.string(&frame)
    do throws(Failure) { return try StandardLibrary.matches(text, pattern, &frame.meter) } catch { throw error.at(offset) }
  }
}

/// `optional.or(other)` and `optional.orValue(other)`: the other is evaluated only where it is needed.
final class OrElseNode: Node, @unchecked Sendable {
  private let operand: Node
  private let other: Node
  private let unwraps: Bool

  init(_ operand: Node, _ other: Node, unwraps: Bool, _ offset: Int) {
    self.operand = operand
    self.other = other
    self.unwraps = unwraps
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    let value = try operand.value(&frame)
    guard case .optional(let wrapped) = value else { throw noOverload(unwraps ? "orValue" : "or", value).at(offset) }
    guard let wrapped else {
      let replacement = try other.value(&frame)
      if !unwraps, case .optional = replacement { return replacement }
      if !unwraps { throw noOverload("or", value, replacement).at(offset) }
      return replacement
    }
    return unwraps ? wrapped : value
  }
}

/// `time.getHours('Europe/Berlin')` and the like.
final class ZonedPartNode: Node, @unchecked Sendable {
  private let time: Node
  private let zone: Node
  /// The zone, where its name is constant.
  private let known: CELTimeZone?
  private let find: @Sendable (String) -> CELTimeZone?
  private let part: @Sendable (CivilTime) -> Int64

  init(
    _ time: Node, _ zone: Node, known: CELTimeZone?, find: @escaping @Sendable (String) -> CELTimeZone?,
    part: @escaping @Sendable (CivilTime) -> Int64, _ offset: Int
  ) {
    self.time = time
    self.zone = zone
    self.known = known
    self.find = find
    self.part = part
    super.init(offset)
  }

  override func int(_ frame: inout Frame) throws(Failure) -> Int64 {
    guard case .timestamp(let time) = try time.value(&frame) else { throw self.time.mismatch(.timestamp) }
    let zone: CELTimeZone
    if let known {
      zone = known
    } else {
      try frame.meter.spend(1000)
      guard let found = find(try self.zone.string(&frame)) else { throw Failure(.invalidArgument, "unknown time zone", offset: offset) }
      zone = found
    }
    return part(CivilTime(seconds: time.seconds + Int64(zone.offset(at: time.seconds))))
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue { .int(try int(&frame)) }
}
