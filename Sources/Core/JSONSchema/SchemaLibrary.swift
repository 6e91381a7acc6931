/// The documents that a schema may refer to, and where the identifiers in them lead.
///
/// A document is indexed when something first refers to it. There is no way to a document that is not here: nothing is fetched.
struct SchemaLibrary {
  /// A place in a document, as a JSON pointer.
  struct Location: Hashable {
    var document: Int
    var pointer: ExactString

    func appending(_ token: String) -> Location {
      Location(document: document, pointer: ExactString(pointer.string + token))
    }
  }

  /// A schema with a URI of its own, and the schemas in it that have none.
  struct Resource {
    var uri: SchemaURI
    var root: Location
    var dialect: SchemaDialect
    var anchors: [ExactString: Location] = [:]
    var dynamicAnchors: [ExactString: Location] = [:]
  }

  /// A schema that a reference leads to.
  struct Target {
    var location: Location
    var resource: Int
    var json: JSON
  }

  private(set) var resources: [Resource] = []
  private(set) var warnings: [SchemaProblem] = []
  private var documents: [(uri: String, json: JSON)] = []
  private var resourceAt: [Location: Int] = [:]
  private var resourceByURI: [ExactString: Int] = [:]
  private var indexed: Set<Location> = []
  /// Given by the caller, by absolute URI without a fragment.
  private var given: [ExactString: JSON] = [:]
  private let fallback: SchemaDialect

  init(documents: [String: JSON], fallback: SchemaDialect = .draft2020) {
    self.fallback = fallback
    for name in documents.keys.sorted(by: bytesLess) {
      given[ExactString(SchemaURI.base.resolve(SchemaURI(name)).withoutFragment.description)] = documents[name]
    }
  }

  // MARK: Documents

  /// Adds the schema that is being compiled, as document 0.
  mutating func addRoot(_ json: JSON) throws(SchemaProblem) -> Target {
    try add(json, retrievedAs: SchemaURI.base)
  }

  private mutating func add(_ json: JSON, retrievedAs uri: SchemaURI) throws(SchemaProblem) -> Target {
    let location = Location(document: documents.count, pointer: "")
    documents.append((uri.description, json))
    // A document answers to the URI that it was asked for by, whatever it calls itself.
    let resource = try index(json, at: location, base: uri, resource: nil, dialect: fallback, isRoot: true)
    if resourceByURI[ExactString(uri.description)] == nil { resourceByURI[ExactString(uri.description)] = resource }
    return Target(location: location, resource: resource, json: json)
  }

  /// The resource with a URI, which may make a document known; nil when there is none.
  private mutating func resource(_ uri: SchemaURI) throws(SchemaProblem) -> Int? {
    let name = ExactString(uri.description)
    if let known = resourceByURI[name] { return known }
    if let json = given[name] { return try add(json, retrievedAs: uri).resource }
    if let json = Metaschema.document(name.string) { return try add(json, retrievedAs: uri).resource }
    return nil
  }

  func json(at location: Location) -> JSON? {
    JSONPointer.tokens(location.pointer.string)?.reduce(documents[location.document].json) { value, token in
      value.flatMap { JSONPointer.step($0, token) }
    }
  }

  /// How a place is named in an error.
  func name(of location: Location) -> String {
    let pointer = location.pointer.string
    if location.document == 0 { return pointer.isEmpty ? "in the schema" : "in the schema at `\(visible(pointer))`" }
    return "in the schema `\(visible(documents[location.document].uri))`" + (pointer.isEmpty ? "" : " at `\(visible(pointer))`")
  }

  func fault(_ code: String, at location: Location, keyword: String? = nil, _ message: String, hint: String? = nil) -> SchemaProblem {
    SchemaProblem(code: code, location: location, keyword: keyword, message: "\(name(of: location)): \(message)", hint: hint)
  }

  func warning(_ code: String, at location: Location, keyword: String, _ message: String, hint: String? = nil) -> SchemaProblem {
    var problem = fault(code, at: location, keyword: keyword, message, hint: hint)
    problem.severity = .warning
    return problem
  }

  // MARK: References

  /// The resource that a subschema belongs to: its own, or that of the schema around it.
  func resource(at location: Location, within outer: Int) -> Int { resourceAt[location] ?? outer }

  /// Follows a reference that stands in a resource.
  mutating func resolve(_ reference: String, from resource: Int, at location: Location) throws(SchemaProblem) -> Target {
    let full = resources[resource].uri.resolve(SchemaURI(reference))
    let shown = visible(reference)
    guard let found = try self.resource(full.withoutFragment) else {
      throw fault(
        "schema-remote-reference", at: location, "`\(shown)` names a schema that is not at hand, and schemas are never fetched",
        hint: nearestName(to: full.withoutFragment.description, in: resourceByURI.keys.map(\.string).sorted())
          .map { "did you mean `\($0)`?" } ?? "embed it under `$defs` with that `$id`, or pass it along as a document")
    }
    guard let fragment = JSONPointer.percentDecoded(full.fragment ?? "") else {
      throw fault("schema-reference", at: location, "`\(shown)` has a broken percent escape")
    }
    if fragment.isEmpty || fragment.utf8.first == UInt8(ascii: "/") {
      return try follow(fragment, in: found, shown: shown, at: location)
    }
    let name = ExactString(fragment)
    if let place = resources[found].anchors[name] ?? resources[found].dynamicAnchors[name], let json = json(at: place) {
      return Target(location: place, resource: self.resource(at: place, within: found), json: json)
    }
    let known = (resources[found].anchors.keys.map(\.string) + resources[found].dynamicAnchors.keys.map(\.string)).sorted(by: bytesLess)
    throw fault(
      "schema-reference", at: location, "`\(shown)` names an anchor that does not exist",
      hint: nearestName(to: fragment, in: known).map { "did you mean `#\($0)`?" })
  }

  private mutating func follow(_ pointer: String, in start: Int, shown: String, at origin: Location) throws(SchemaProblem) -> Target {
    var resource = start
    var location = resources[start].root
    guard let tokens = JSONPointer.tokens(pointer), var json = json(at: location) else {
      throw fault("schema-reference", at: origin, "`\(shown)` is not a JSON pointer")
    }
    for token in tokens {
      guard let next = JSONPointer.step(json, token) else {
        throw fault(
          "schema-reference", at: origin, "`\(shown)` points to nothing: there is no `\(visible(token))`",
          hint: nearestName(to: token, in: json.objectValue?.keys ?? []).map { "did you mean `\($0)`?" })
      }
      json = next
      location = location.appending(JSONPointer.token(token))
      resource = self.resource(at: location, within: resource)
    }
    if !indexed.contains(location) {
      // A place that no keyword makes a schema: it becomes one by being referred to.
      _ = try index(
        json, at: location, base: resources[resource].uri, resource: resource, dialect: resources[resource].dialect, isRoot: false)
      resource = self.resource(at: location, within: resource)
    }
    return Target(location: location, resource: resource, json: json)
  }

  // MARK: Index

  /// Records the identifiers of a schema and of the schemas in it.
  ///
  /// - Returns: The resource that the schema belongs to.
  private mutating func index(
    _ json: JSON, at location: Location, base: SchemaURI, resource outer: Int?, dialect outerDialect: SchemaDialect, isRoot: Bool
  ) throws(SchemaProblem) -> Int {
    indexed.insert(location)
    guard let schema = json.objectValue else {
      if let outer { return outer }
      return try register(base, at: location, dialect: outerDialect)
    }
    var dialect = outerDialect
    var resource = outer
    let isHidden = outerDialect.draft == .draft7 && schema["$ref"] != nil && !isRoot
    var id: String?
    if let value = schema["$id"], !isHidden {
      guard let text = value.stringValue else {
        throw fault("schema-keyword", at: location, "`$id` must be a string, not \(value.described)")
      }
      id = text
    }
    if isRoot || id != nil, let named = schema["$schema"] { dialect = try self.dialect(named, at: location) }
    if let id {
      let uri = SchemaURI(id)
      if let fragment = uri.fragment, !fragment.isEmpty {
        guard dialect.draft == .draft7 else {
          throw fault("schema-keyword", at: location, "`$id` must not have a fragment", hint: "name the place with `$anchor`")
        }
        let inside = try owner(resource, base, at: location, dialect: dialect)
        resource = inside
        try addAnchor(String(fragment), to: inside, at: location)
      } else {
        resource = try register(base.resolve(uri).withoutFragment, at: location, dialect: dialect)
      }
    }
    let own = try owner(resource, base, at: location, dialect: dialect)
    if dialect.draft != .draft7 { try indexAnchors(schema, resource: own, at: location, dialect: dialect) }
    if location.document == 0 { warnAboutSlips(schema, at: location) }
    if isHidden { return own }
    try indexSubschemas(schema, resource: own, at: location, dialect: dialect)
    return own
  }

  private mutating func indexSubschemas(_ schema: JSONObject, resource: Int, at location: Location, dialect: SchemaDialect)
    throws(SchemaProblem)
  {
    let base = resources[resource].uri
    for (keyword, holds) in dialect.holders() {
      guard let value = schema[keyword] else { continue }
      let place = location.appending(JSONPointer.token(keyword))
      switch (holds, value) {
      case (.one, _), (.oneOrList, .object), (.oneOrList, .bool):
        _ = try index(value, at: place, base: base, resource: resource, dialect: dialect, isRoot: false)
      case (.list, .array(let schemas)), (.oneOrList, .array(let schemas)):
        for (position, schema) in schemas.enumerated() {
          let element = place.appending(JSONPointer.token(position))
          _ = try index(schema, at: element, base: base, resource: resource, dialect: dialect, isRoot: false)
        }
      case (.map, .object(let schemas)), (.mapOfSchemasOrLists, .object(let schemas)):
        for (key, schema) in schemas {
          if case .array = schema { continue }
          let member = place.appending(JSONPointer.token(key))
          _ = try index(schema, at: member, base: base, resource: resource, dialect: dialect, isRoot: false)
        }
      default: break  // the compiler names the problem, if the schema is used
      }
    }
  }

  private mutating func owner(_ known: Int?, _ base: SchemaURI, at location: Location, dialect: SchemaDialect)
    throws(SchemaProblem) -> Int
  {
    if let known { return known }
    return try register(base, at: location, dialect: dialect)
  }

  private mutating func register(_ uri: SchemaURI, at location: Location, dialect: SchemaDialect) throws(SchemaProblem) -> Int {
    let name = ExactString(uri.description)
    if let known = resourceByURI[name], resources[known].root != location {
      let other = self.name(of: resources[known].root)
      throw fault("schema-duplicate-id", at: location, "`\(visible(uri.description))` is also the identifier of the schema \(other)")
    }
    resources.append(Resource(uri: uri, root: location, dialect: dialect))
    resourceAt[location] = resources.count - 1
    resourceByURI[name] = resources.count - 1
    return resources.count - 1
  }

  private mutating func indexAnchors(_ schema: JSONObject, resource: Int, at location: Location, dialect: SchemaDialect)
    throws(SchemaProblem)
  {
    if let value = schema["$anchor"] { try addAnchor(anchorName(value, "$anchor", at: location), to: resource, at: location) }
    if dialect.draft == .draft2019 {
      if schema["$recursiveAnchor"]?.boolValue == true, resources[resource].root == location {
        resources[resource].dynamicAnchors[SchemaCompiler.recursiveAnchor] = location
      }
      return
    }
    guard let value = schema["$dynamicAnchor"] else { return }
    let name = ExactString(try anchorName(value, "$dynamicAnchor", at: location))
    if let other = resources[resource].dynamicAnchors[name], other != location { throw duplicate(name.string, other, location) }
    resources[resource].dynamicAnchors[name] = location
  }

  private func anchorName(_ value: JSON, _ keyword: String, at location: Location) throws(SchemaProblem) -> String {
    guard let text = value.stringValue else {
      throw fault("schema-keyword", at: location, "`\(keyword)` must be a string, not \(value.described)")
    }
    let isName =
      text.utf8.enumerated().allSatisfy { index, byte in
        (byte | 0x20) &- 0x61 < 26 || byte == 0x5F || (index > 0 && (byte &- 0x30 < 10 || byte == 0x2D || byte == 0x2E))
      } && !text.isEmpty
    guard isName else {
      throw fault(
        "schema-keyword", at: location, "`\(visible(text))` cannot be an anchor",
        hint: "an anchor starts with a letter or `_`; letters, digits, `-`, `_` and `.` follow")
    }
    return text
  }

  private mutating func addAnchor(_ name: String, to resource: Int, at location: Location) throws(SchemaProblem) {
    let key = ExactString(name)
    if let other = resources[resource].anchors[key], other != location { throw duplicate(name, other, location) }
    resources[resource].anchors[key] = location
  }

  private func duplicate(_ name: String, _ first: Location, _ second: Location) -> SchemaProblem {
    fault("schema-duplicate-anchor", at: second, "the anchor `\(name)` also stands \(self.name(of: first))")
  }

  // MARK: Dialects

  private mutating func dialect(_ value: JSON, at location: Location) throws(SchemaProblem) -> SchemaDialect {
    guard let text = value.stringValue else {
      throw fault("schema-keyword", at: location, "`$schema` must be a string, not \(value.described)")
    }
    let uri = SchemaURI.base.resolve(SchemaURI(text))
    let name = uri.withoutFragment.description
    if let dialect = SchemaDialect.standard(name) { return dialect }
    guard let metaschema = given[ExactString(name)]?.objectValue else {
      throw fault(
        "schema-dialect", at: location, "`\(visible(text))` is not a known version of JSON Schema",
        hint: "use `\(SchemaDialect.metaschema2020)`; drafts 2019-09, 7 and 6 are read too")
    }
    guard let own = metaschema["$schema"]?.stringValue.map({ SchemaURI($0).withoutFragment.description }),
      var dialect = SchemaDialect.standard(own)
    else {
      throw fault("schema-dialect", at: location, "the metaschema `\(visible(text))` says in no known `$schema` how it is to be read")
    }
    guard let vocabularies = metaschema["$vocabulary"]?.objectValue else { return dialect }
    dialect.vocabularies = .core
    for (uri, required) in vocabularies {
      if let vocabulary = SchemaDialect.vocabulary(uri) {
        dialect.vocabularies.insert(vocabulary)
      } else if required != false {
        throw fault("schema-vocabulary", at: location, "the metaschema `\(visible(text))` needs the unknown vocabulary `\(visible(uri))`")
      }
    }
    return dialect
  }

  private mutating func warnAboutSlips(_ schema: JSONObject, at location: Location) {
    for (key, _) in schema where !SchemaDialect.keywords.contains(key) && !key.hasPrefix("x-") {
      guard let near = nearestName(to: key, in: SchemaDialect.keywords.sorted()) else { continue }
      warnings.append(
        warning(
          "schema-unknown-keyword", at: location, keyword: key, "`\(visible(key))` is not a keyword", hint: "did you mean `\(near)`?"))
    }
  }
}

extension JSON {
  /// The kind of value with its article, for messages.
  var described: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
