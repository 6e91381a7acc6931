/// A parsed expression: a tree in which macros are expanded to ``Comprehension`` and ``Kind/bind(name:value:body:)``.
///
/// Operators are calls by their names in the language definition: `_+_`, `_==_`, `_&&_`, `@in`, `_[_]`, `_?_:_`, `!_`, `-_`.
/// `_&&_` and `_||_` take two or more arguments, so that a long chain is one node. The tree is at most
/// ``CELLimits/depth`` levels deep, so recursion over it is bounded.
public struct CELExpression: Sendable {
  /// The number of the expression, unique in its tree.
  public let id: Int
  /// Where it begins in the source, in UTF-8 bytes; for an operator, where the operator stands.
  public let offset: Int
  /// What it is.
  public let kind: Kind
  /// The number of levels below and including this one.
  let depth: Int

  /// The forms of an expression.
  public indirect enum Kind: Sendable {
    /// A constant.
    case literal(CELValue)
    /// A name. `isAbsolute` where a dot stands before it, which passes over local variables and the container.
    case identifier(String, isAbsolute: Bool)
    /// `operand.field`, or `operand.?field` where optional.
    case select(CELExpression, field: String, isOptional: Bool)
    /// `has(operand.field)`.
    case has(CELExpression, field: String)
    /// A function or operator; a target stands before the dot.
    case call(String, target: CELExpression?, arguments: [CELExpression])
    /// `[…]`. `optional` holds the places of elements that are left out where they have no value: `[?x]`.
    case list([CELExpression], optional: Set<Int>)
    /// `{…}`.
    case map([Entry])
    /// `all`, `exists`, `map`, `filter` and the like.
    case comprehension(Comprehension)
    /// `cel.bind(name, value, body)`.
    case bind(name: String, value: CELExpression, body: CELExpression)
  }

  /// An entry of a map expression.
  public struct Entry: Sendable {
    /// The key.
    public let key: CELExpression
    /// The value.
    public let value: CELExpression
    /// Whether the entry is left out where its value, an optional, has none: `{?key: value}`.
    public let isOptional: Bool
  }

  /// A macro that evaluates its body once for each element of a range.
  public struct Comprehension: Sendable {
    /// What becomes of the body's values.
    public enum Form: String, Sendable {
      /// Whether the body is true for every element; an error counts only where no element is false.
      case all
      /// Whether the body is true for an element; an error counts only where no element is true.
      case exists
      /// Whether the body is true for exactly one element.
      case existsOne = "exists_one"
      /// The list of the body's values.
      case map
      /// The list of the elements for which the filter holds.
      case filter
      /// The map from each key to the body's value.
      case transformMap
      /// The map of the entries of the maps that the body yields.
      case transformMapEntry
      /// The body's value, for the value of an optional; none for none.
      case optMap
      /// The body's value, itself an optional, for the value of an optional; none for none.
      case optFlatMap
    }
    /// What becomes of the body's values.
    public let form: Form
    /// A list, a map or an optional.
    public let range: CELExpression
    /// The names of the element, or of its index or key and its value.
    public let variables: [String]
    /// What must hold for an element to be taken, where there is such a condition.
    public let filter: CELExpression?
    /// What is evaluated for each element; nil for `filter`.
    public let body: CELExpression?
  }

  /// The expressions directly below this one, from left to right.
  public var children: [CELExpression] {
    switch kind {
    case .literal, .identifier: []
    case .select(let operand, _, _), .has(let operand, _): [operand]
    case .call(_, let target, let arguments): (target.map { [$0] } ?? []) + arguments
    case .list(let elements, _): elements
    case .map(let entries): entries.flatMap { [$0.key, $0.value] }
    case .comprehension(let comprehension): [comprehension.range] + [comprehension.filter, comprehension.body].compactMap(\.self)
    case .bind(_, let value, let body): [value, body]
    }
  }

  /// Calls the body with this expression and with every one below it, parents first.
  ///
  /// - Complexity: O(n) for n expressions.
  public func forEach(_ body: (CELExpression) -> Void) {
    body(self)
    for child in children { child.forEach(body) }
  }
}
