/// A JSON Schema (draft 2020-12), compiled once and then applied to any number of values.
///
/// Compiling finds every problem of the schema: unknown types, broken references, patterns that cannot be matched in linear time,
/// schemas that would apply themselves for ever. Validating cannot fail; what it cannot finish within ``Limits`` is invalid.
///
/// - Numbers are compared and divided exactly, strings by their bytes, lengths counted in Unicode scalars.
/// - Nothing is ever fetched: a reference leads into the schema, to the 2020-12 metaschema, or to a document that was passed along.
/// - `format` is an annotation unless ``Options/assertsFormats`` or the metaschema's vocabulary asks for it; `content…` always is.
/// - Schemas that name draft 2019-09, 7 or 6 in `$schema` are read by that draft's rules.
/// - SeeAlso: https://json-schema.org/draft/2020-12/json-schema-core, https://json-schema.org/draft/2020-12/json-schema-validation.
public struct JSONSchema: Sendable {
  /// How a schema is compiled.
  public struct Options: Sendable {
    /// Schemas that may be referred to, by URI; they are read only when something refers to them.
    public var documents: [String: JSON]
    /// Whether a `format` that is in ``formats`` must be followed.
    public var assertsFormats: Bool

    /// Makes options; by default there are no documents and formats are annotations.
    public init(documents: [String: JSON] = [:], assertsFormats: Bool = false) {
      self.documents = documents
      self.assertsFormats = assertsFormats
    }
  }

  /// Bounds of one validation.
  ///
  /// A value that passes one is invalid, with the keyword `limit`.
  public struct Limits: Sendable {
    /// How many violations are reported; the rest is left out.
    public var violations: Int
    /// Schemas within schemas.
    public var depth: Int
    /// Schemas applied, items compared and pattern steps, about ten nanoseconds each.
    public var steps: Int

    /// Makes limits; the defaults are meant for the arguments of a tool.
    public init(violations: Int = 20, depth: Int = 1000, steps: Int = 10_000_000) {
      self.violations = violations
      self.depth = depth
      self.steps = steps
    }
  }

  /// The formats that can be asserted, sorted.
  public static var formats: [String] { SchemaFormat.names }

  /// What is probably a mistake but no error: keywords that are one or two letters off a known one, formats that are not checked.
  public let warnings: [Diagnostic]
  private let graph: SchemaGraph

  /// Compiles a schema.
  ///
  /// - Parameters:
  ///   - schema: An object or a boolean.
  ///   - options: Documents it may refer to, and whether formats are checked.
  /// - Throws: ``Diagnostic`` with a code that starts with `schema-` or `regex-`; its message names the place as a JSON pointer.
  /// - Complexity: O(n) for n schemas that are reached, and the cost of their patterns (see ``LinearRegex``).
  public init(_ schema: JSON, options: Options = Options()) throws(Diagnostic) {
    try self.init(schema, options: options) { _ in nil }
  }

  /// Compiles a schema that stands in a file; errors and warnings name the line and column.
  ///
  /// - Parameters:
  ///   - schema: An object or a boolean.
  ///   - options: Documents it may refer to, and whether formats are checked.
  /// - Throws: ``Diagnostic`` with a code that starts with `schema-` or `regex-`.
  public init(_ schema: PositionedJSON, options: Options = Options()) throws(Diagnostic) {
    try self.init(schema.json, options: options) { Self.position(of: $0, in: schema) }
  }

  private init(_ schema: JSON, options: Options, position: (String) -> SourcePosition?) throws(Diagnostic) {
    var compiler = SchemaCompiler(library: SchemaLibrary(documents: options.documents), assertsFormats: options.assertsFormats)
    do throws(SchemaProblem) {
      graph = try compiler.compile(schema)
    } catch {
      throw error.diagnostic(position)
    }
    warnings = compiler.warnings.map { $0.diagnostic(position) }
  }

  /// The problems of a value, in the order of its members; empty when it is valid.
  ///
  /// - Parameters:
  ///   - value: Any value.
  ///   - subject: What the messages call the value as a whole.
  ///   - limits: Bounds of the work and of the report.
  /// - Returns: At most ``Limits/violations`` problems, at least one for an invalid value.
  /// - Complexity: O(n) for most schemas and n values in it; alternatives within alternatives multiply. Bounded by ``Limits/steps``.
  public func validate(_ value: JSON, subject: String = "the value", limits: Limits = Limits()) -> [SchemaViolation] {
    var evaluator = SchemaEvaluator(graph: graph, limits: limits, subject: subject, quiet: false)
    if evaluator.run(value) { return [] }
    if let exhausted = evaluator.exhausted { return evaluator.violations.prefix(max(limits.violations - 1, 0)) + [exhausted] }
    return evaluator.violations
  }

  /// Whether a value is valid.
  ///
  /// Faster than ``validate(_:subject:limits:)`` for values that are not.
  public func isValid(_ value: JSON, limits: Limits = Limits()) -> Bool {
    var evaluator = SchemaEvaluator(graph: graph, limits: limits, subject: "", quiet: true)
    return evaluator.run(value)
  }

  /// The schema of schemas, draft 2020-12.
  ///
  /// - Throws: Nothing in practice; its own text is tested.
  public static func metaschema() throws(Diagnostic) -> JSONSchema { try compiledMetaschema.get() }

  private static let compiledMetaschema = Result<JSONSchema, Diagnostic> { () throws(Diagnostic) in
    try JSONSchema(["$ref": .string(SchemaDialect.metaschema2020)])
  }

  private static func position(of pointer: String, in schema: PositionedJSON) -> SourcePosition? {
    var place = schema
    for token in JSONPointer.tokens(pointer) ?? [] {
      switch place.value {
      case .object:
        guard let next = place[token] else { return place.position }
        place = next
      case .array(let elements):
        guard let index = Int(token), elements.indices.contains(index) else { return place.position }
        place = elements[index]
      case .scalar: return place.position
      }
    }
    return place.position
  }
}
