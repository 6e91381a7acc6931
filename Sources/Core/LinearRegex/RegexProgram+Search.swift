extension RegexProgram {
  /// Whether the text has a match.
  ///
  /// With a table each byte costs one step; without, each instruction visited for each scalar.
  ///
  /// - Parameters:
  ///   - text: UTF-8.
  ///   - steps: How many steps may still be taken; lowered by those taken.
  /// - Returns: nil when the steps ran out before the answer was known.
  func contains(in text: UnsafeBufferPointer<UInt8>, steps: inout Int) -> Bool? {
    guard let table else {
      var end = 0
      return firstMatch(in: text, steps: &steps, anyMatch: true, end: &end).map { $0 >= 0 }
    }
    let limit = min(text.count, steps)
    var state = Int(table.start)
    var index = 0
    defer { steps -= index }
    while index < limit {
      let scalarClass: Int
      let byte = text[index]
      if byte < 0x80 {
        scalarClass = alphabet.classOf(UInt32(byte))
        index += 1
      } else {
        let (scalar, length) = decodeScalar(text, at: index)
        scalarClass = alphabet.classOf(scalar)
        index += length
      }
      state = Int(table.cells[state * table.stride + scalarClass])
      if state <= Int(RegexTable.accepted) { return state == Int(RegexTable.accepted) }
    }
    if index < text.count { return nil }
    return table.cells[state * table.stride + table.stride - 1] == RegexTable.accepted
  }

  /// Simulates the automaton: all threads advance together, in order of preference, each with the place where it began.
  ///
  /// - Parameters:
  ///   - text: UTF-8.
  ///   - steps: How many steps may still be taken; lowered by those taken.
  ///   - anyMatch: Stop at the first sign of any match; the place is then not the preferred one.
  ///   - end: Where the match ends, as a UTF-8 offset.
  /// - Returns: Where the match begins, −1 for none, nil when the steps ran out.
  func firstMatch(in text: UnsafeBufferPointer<UInt8>, steps: inout Int, anyMatch: Bool, end: inout Int) -> Int? {
    var current: [(pc: Int32, start: Int)] = []
    var next: [(pc: Int32, start: Int)] = []
    var closure = RegexClosure(count: instructions.count)
    var listed = [Bool](repeating: false, count: instructions.count)
    var previous = RegexNeighbour.edge
    var index = 0
    var found = -1
    while true {
      if found < 0, index == 0 || !isAnchored { current.append((0, index)) }
      if current.isEmpty { return found }
      var scalarClass = 0
      var length = 0
      var following = RegexNeighbour.edge
      if index < text.count {
        let scalar: UInt32
        (scalar, length) = decodeScalar(text, at: index)
        scalarClass = alphabet.classOf(scalar)
        following = alphabet.neighbours[scalarClass]
      }
      closure.begin()
      var consumed = 0
      for thread in current {
        let matched = closure.add(thread.pc, instructions, assertions, after: previous, before: following)
        while consumed < closure.consuming.count {
          let instruction = instructions[Int(closure.consuming[consumed])]
          consumed += 1
          if length > 0, alphabet.contains(instruction.operand, scalarClass), !listed[Int(instruction.next)] {
            listed[Int(instruction.next)] = true
            next.append((instruction.next, thread.start))
          }
        }
        if matched {
          found = thread.start
          end = index
          break  // the threads behind this one are less preferred
        }
      }
      steps -= closure.visited + 1
      if steps < 0 { return nil }
      if found >= 0, anyMatch { return found }
      if length == 0 { return found }
      for thread in next { listed[Int(thread.pc)] = false }
      swap(&current, &next)
      next.removeAll(keepingCapacity: true)
      previous = following
      index += length
    }
  }
}

/// The scalar at a place of a text, and how many bytes it takes.
///
/// A byte that is no part of well-formed UTF-8 counts as U+FFFD.
@inline(__always)
private func decodeScalar(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (scalar: UInt32, length: Int) {
  let first = text[index]
  if first < 0x80 { return (UInt32(first), 1) }
  return decodeWideScalar(text, at: index)
}

private func decodeWideScalar(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (scalar: UInt32, length: Int) {
  let first = UInt32(text[index])
  func continuation(_ offset: Int) -> UInt32? {
    guard index + offset < text.count, text[index + offset] & 0xC0 == 0x80 else { return nil }
    return UInt32(text[index + offset] & 0x3F)
  }
  switch first {
  case 0xC2...0xDF:
    if let a = continuation(1) { return ((first & 0x1F) << 6 | a, 2) }
  case 0xE0...0xEF:
    if let a = continuation(1), let b = continuation(2) {
      let value = (first & 0x0F) << 12 | a << 6 | b
      if value >= 0x800, !(0xD800...0xDFFF).contains(value) { return (value, 3) }
    }
  case 0xF0...0xF4:
    if let a = continuation(1), let b = continuation(2), let c = continuation(3) {
      let value = (first & 0x07) << 18 | a << 12 | b << 6 | c
      if (0x10000...0x10FFFF).contains(value) { return (value, 4) }
    }
  default: break
  }
  return (0xFFFD, 1)
}
