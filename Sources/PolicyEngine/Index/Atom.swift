/// A value of a request as the index sees it.
enum Observation: Sendable {
  case text(String)
  /// A number that a double holds exactly.
  case number(Double)
  case flag(Bool)
  case texts([String])
  /// Absent, of another type, or too large: only the condition itself can tell.
  case other
}

/// A comparison of one value of the request with constants: what the index understands of a condition.
///
/// An atom answers only where CEL's answer is certain from the value alone; for a value of another type it says that it does not know, and
/// the condition is evaluated.
enum Atom: Sendable {
  enum Order: Sendable { case less, lessOrEqual, greater, greaterOrEqual }

  /// `path == 'a'`, `path in ['a', 'b']`, and with `isNot` `path != 'a'`.
  case text([String], isNot: Bool)
  /// The same for numbers.
  case number([Double], isNot: Bool)
  /// `path`, `!path`, `path == true`.
  case flag(Bool)
  /// `path < 3` and the like.
  case order(Order, Double)
  /// `'a' in path`, for a list of texts.
  case contains(String)

  /// Whether the comparison holds for a value; nil when only the condition can tell.
  func holds(for value: Observation) -> Bool? {
    switch (self, value) {
    case (.text(let constants, let isNot), .text(let text)): constants.contains { $0.utf8.elementsEqual(text.utf8) } != isNot
    case (.number(let constants, let isNot), .number(let number)): constants.contains(number) != isNot
    case (.flag(let constant), .flag(let flag)): constant == flag
    case (.order(let order, let constant), .number(let number)): order.holds(number, constant)
    case (.contains(let constant), .texts(let texts)): texts.contains { $0.utf8.elementsEqual(constant.utf8) }
    default: nil
    }
  }
}

extension Atom.Order {
  @inline(__always)
  func holds(_ a: Double, _ b: Double) -> Bool {
    switch self {
    case .less: a < b
    case .lessOrEqual: a <= b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    }
  }

  /// The same comparison with its sides exchanged.
  var flipped: Atom.Order {
    switch self {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }
}
