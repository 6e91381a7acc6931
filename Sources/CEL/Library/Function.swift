/// One signature of a function.
///
/// The first parameter of a member is what stands before the dot.
struct Overload: Sendable {
  let parameters: [CELType]
  let result: CELType
  let isMember: Bool

  init(_ parameters: [CELType], _ result: CELType, isMember: Bool = false) {
    self.parameters = parameters
    self.result = result
    self.isMember = isMember
  }
}

/// A function by name: the signatures that the checker knows, and one body for all, which looks at the values.
struct Function: Sendable {
  enum Body: Sendable {
    case unary(@Sendable (CELValue, inout Meter) throws(Failure) -> CELValue)
    case binary(@Sendable (CELValue, CELValue, inout Meter) throws(Failure) -> CELValue)
    case any(@Sendable ([CELValue], inout Meter) throws(Failure) -> CELValue)
  }

  let name: String
  let overloads: [Overload]
  let body: Body

  init(_ name: String, _ overloads: [Overload], _ body: Body) {
    self.name = name
    self.overloads = overloads
    self.body = body
  }

  /// Whether a call in this style with so many arguments, what stands before the dot included, can be meant.
  func accepts(_ count: Int, isMember: Bool) -> Bool {
    overloads.contains { $0.isMember == isMember && $0.parameters.count == count }
  }
}

/// The error of a function that was given values of other types than it takes.
@inline(never)
func noOverload(_ name: String, _ arguments: CELValue...) -> Failure {
  Failure(
    .noSuchOverload,
    "`\(displayName(name))` cannot be applied to \(arguments.map { "`\($0.type.runtimeName)`" }.joined(separator: " and "))")
}

/// The operator as people write it, or the function's name.
func displayName(_ name: String) -> String {
  switch name {
  case "@in": "in"
  case "_[_]", "_[?_]": "[]"
  case "_?_:_": "? :"
  default:
    name.utf8.contains { isNamePart($0) && $0 != UInt8(ascii: "_") }
      ? name : String(decoding: name.utf8.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
  }
}
