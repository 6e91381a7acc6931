/// The kinds of value that `type` tells apart.
struct SchemaTypes: OptionSet, Sendable {
  let rawValue: UInt8
  static let null = SchemaTypes(rawValue: 1)
  static let boolean = SchemaTypes(rawValue: 2)
  static let integer = SchemaTypes(rawValue: 4)
  /// A number with a fraction; `type: "number"` is this and ``integer``.
  static let fraction = SchemaTypes(rawValue: 8)
  static let string = SchemaTypes(rawValue: 16)
  static let array = SchemaTypes(rawValue: 32)
  static let object = SchemaTypes(rawValue: 64)
  static let number: SchemaTypes = [.integer, .fraction]
  static let any = SchemaTypes(rawValue: 127)

  static let names: [(name: String, types: SchemaTypes, described: String)] = [
    ("string", .string, "a string"), ("number", .number, "a number"), ("integer", .integer, "an integer"),
    ("boolean", .boolean, "a boolean"), ("array", .array, "an array"), ("object", .object, "an object"), ("null", .null, "null"),
  ]

  @inline(__always)
  static func of(_ value: JSON) -> SchemaTypes {
    switch value {
    case .null: .null
    case .bool: .boolean
    case .number(let number): number.isInteger ? .integer : .fraction
    case .string: .string
    case .array: .array
    case .object: .object
    }
  }

  /// The kinds as in `a string or null`.
  var described: String {
    let kinds = Self.names.filter { row in
      isSuperset(of: row.types) && !(row.types == .integer && contains(.fraction))
    }.map(\.described)
    guard let last = kinds.last, kinds.count > 1 else { return kinds.first ?? "nothing" }
    return kinds.dropLast().joined(separator: ", ") + " or " + last
  }
}

/// One schema, compiled: what it asks of a value, by kind of value, and the schemas that it applies.
///
/// Schemas are named by their place in ``SchemaGraph/nodes``; −1 is none.
final class SchemaNode: Sendable {
  /// The answer, where the value does not matter.
  let verdict: Bool?
  let types: SchemaTypes
  let enumeration: AllowedValues?
  let constant: JSON?
  let number: NumberRules?
  let string: StringRules?
  let array: ArrayRules?
  let object: ObjectRules?
  let applicators: [SchemaApplicator]
  let unevaluatedItems: Int
  let unevaluatedProperties: Int
  /// Of the schema resource, for dynamic references.
  let resource: Int

  init(
    resource: Int, types: SchemaTypes, enumeration: AllowedValues?, constant: JSON?, number: NumberRules?, string: StringRules?,
    array: ArrayRules?, object: ObjectRules?, applicators: [SchemaApplicator], unevaluatedItems: Int, unevaluatedProperties: Int
  ) {
    self.resource = resource
    self.types = types
    self.enumeration = enumeration
    self.constant = constant
    self.number = number
    self.string = string
    self.array = array
    self.object = object
    self.applicators = applicators
    self.unevaluatedItems = unevaluatedItems
    self.unevaluatedProperties = unevaluatedProperties
    let isEmpty =
      types == .any && enumeration == nil && constant == nil && number == nil && string == nil && array == nil && object == nil
      && applicators.isEmpty && unevaluatedItems < 0 && unevaluatedProperties < 0
    verdict = isEmpty ? true : nil
  }

  /// `true` or `false`.
  init(resource: Int, verdict: Bool) {
    self.verdict = verdict
    self.resource = resource
    types = .any
    (enumeration, constant, number, string, array, object) = (nil, nil, nil, nil, nil, nil)
    applicators = []
    (unevaluatedItems, unevaluatedProperties) = (-1, -1)
  }

  /// The schemas that this one applies to the same value: without a value in between, a way back is a loop.
  var inPlace: [Int] {
    applicators.flatMap(\.schemas) + (object?.dependentSchemas.map(\.schema) ?? [])
  }
}

/// A keyword that applies schemas to the value itself.
enum SchemaApplicator: Sendable {
  case reference(Int)
  /// Starts at the first schema unless an outer resource has a dynamic anchor with the name of that number.
  case dynamicReference(Int, name: Int)
  case all([Int])
  case any([Int])
  case one([Int])
  case not(Int)
  case conditional(if: Int, then: Int, else: Int)

  var schemas: [Int] {
    switch self {
    case .reference(let schema), .dynamicReference(let schema, _), .not(let schema): [schema]
    case .all(let schemas), .any(let schemas), .one(let schemas): schemas
    case .conditional(let condition, let then, let otherwise): [condition, then, otherwise].filter { $0 >= 0 }
    }
  }
}

/// The values of an `enum`.
struct AllowedValues: Sendable {
  let values: [JSON]
  /// Kept where a linear search would be slow.
  private let lookup: Set<JSON>?

  init(_ values: [JSON]) {
    self.values = values
    lookup = values.count > 8 ? Set(values) : nil
  }

  func contains(_ value: JSON) -> Bool { lookup?.contains(value) ?? values.contains(value) }
}

final class NumberRules: Sendable {
  let minimum: JSONNumber?
  let maximum: JSONNumber?
  let exclusiveMinimum: JSONNumber?
  let exclusiveMaximum: JSONNumber?
  let multipleOf: JSONNumber?

  init(
    minimum: JSONNumber?, maximum: JSONNumber?, exclusiveMinimum: JSONNumber?, exclusiveMaximum: JSONNumber?, multipleOf: JSONNumber?
  ) {
    self.minimum = minimum
    self.maximum = maximum
    self.exclusiveMinimum = exclusiveMinimum
    self.exclusiveMaximum = exclusiveMaximum
    self.multipleOf = multipleOf
  }
}

final class StringRules: Sendable {
  /// In Unicode scalars.
  let minimumLength: Int
  /// In Unicode scalars.
  let maximumLength: Int
  let pattern: LinearRegex?
  let format: SchemaFormat?

  init(minimumLength: Int, maximumLength: Int, pattern: LinearRegex?, format: SchemaFormat?) {
    self.minimumLength = minimumLength
    self.maximumLength = maximumLength
    self.pattern = pattern
    self.format = format
  }
}

final class ArrayRules: Sendable {
  let prefix: [Int]
  /// For the items after the prefix.
  let items: Int
  let minimumCount: Int
  let maximumCount: Int
  let mustBeUnique: Bool
  let contains: Int
  let minimumContains: Int
  let maximumContains: Int
  /// Whether items that match `contains` count as evaluated: from 2020-12 on.
  let containsEvaluates: Bool

  init(
    prefix: [Int], items: Int, minimumCount: Int, maximumCount: Int, mustBeUnique: Bool, contains: Int, minimumContains: Int,
    maximumContains: Int, containsEvaluates: Bool
  ) {
    self.prefix = prefix
    self.items = items
    self.minimumCount = minimumCount
    self.maximumCount = maximumCount
    self.mustBeUnique = mustBeUnique
    self.contains = contains
    self.minimumContains = minimumContains
    self.maximumContains = maximumContains
    self.containsEvaluates = containsEvaluates
  }
}

final class ObjectRules: Sendable {
  /// The names that the schema mentions, to find a member's rules with one search.
  let members: MemberTable
  let required: [String]
  let patterns: [(pattern: LinearRegex, schema: Int)]
  /// For members without rules of their own.
  let additional: Int
  let names: Int
  let minimumCount: Int
  let maximumCount: Int
  let dependentRequired: [(name: String, required: [String])]
  let dependentSchemas: [(name: String, schema: Int)]

  init(
    properties: [(name: String, schema: Int)], required: [String], patterns: [(pattern: LinearRegex, schema: Int)], additional: Int,
    names: Int, minimumCount: Int, maximumCount: Int, dependentRequired: [(name: String, required: [String])],
    dependentSchemas: [(name: String, schema: Int)]
  ) {
    members = MemberTable(properties: properties, required: required)
    self.required = required
    self.patterns = patterns
    self.additional = additional
    self.names = names
    self.minimumCount = minimumCount
    self.maximumCount = maximumCount
    self.dependentRequired = dependentRequired
    self.dependentSchemas = dependentSchemas
  }
}

/// Finds what a schema says about a member's name.
struct MemberTable: Sendable {
  struct Entry: Sendable {
    let name: String
    /// −1 for a name that is only required.
    let schema: Int
    /// Its place among the required names, or −1.
    let required: Int
  }

  let entries: [Entry]
  private let lookup: [ExactString: Int]?

  init(properties: [(name: String, schema: Int)], required: [String]) {
    var places: [ExactString: Int] = [:]
    for (index, name) in required.enumerated() { places[ExactString(name)] = index }
    var entries = properties.map {
      Entry(name: $0.name, schema: $0.schema, required: places.removeValue(forKey: ExactString($0.name)) ?? -1)
    }
    for (index, name) in required.enumerated() where places[ExactString(name)] != nil {
      entries.append(Entry(name: name, schema: -1, required: index))
    }
    self.entries = entries
    lookup =
      entries.count > 12
      ? Dictionary(entries.enumerated().map { (ExactString($1.name), $0) }, uniquingKeysWith: { first, _ in first }) : nil
  }

  /// The place of a name; `hint` is where to look first, as members mostly come in the order of the schema.
  @inline(__always)
  func place(of name: String, hint: Int) -> Int? {
    if hint < entries.count, bytesEqual(entries[hint].name, name) { return hint }
    if let lookup { return lookup[ExactString(name)] }
    return entries.firstIndex { bytesEqual($0.name, name) }
  }

  /// Names that have a schema, for hints.
  var properties: [String] { entries.filter { $0.schema >= 0 }.map(\.name) }
}

/// A compiled schema with everything that it refers to.
final class SchemaGraph: Sendable {
  let nodes: [SchemaNode]
  let root: Int
  /// For each name of a dynamic reference, the schema that each resource gives it.
  let dynamicAnchors: [[Int: Int]]
  /// Whether some schema asks what others evaluated.
  let tracksEvaluation: Bool

  init(nodes: [SchemaNode], root: Int, dynamicAnchors: [[Int: Int]]) {
    self.nodes = nodes
    self.root = root
    self.dynamicAnchors = dynamicAnchors
    tracksEvaluation = nodes.contains { $0.unevaluatedItems >= 0 || $0.unevaluatedProperties >= 0 }
  }
}
