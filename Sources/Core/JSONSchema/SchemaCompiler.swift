/// Compiles a schema and all that it refers to into a graph.
///
/// Every problem is found here; validating cannot fail.
struct SchemaCompiler {
  typealias Location = SchemaLibrary.Location

  /// Schemas, over all documents.
  static let maximumSchemas = 50_000
  /// The name under which 2019-09's nameless dynamic anchors are kept; no anchor can be called that.
  static let recursiveAnchor: ExactString = "$recursiveAnchor"

  var library: SchemaLibrary
  let assertsFormats: Bool
  private var nodes: [SchemaNode?] = []
  private var nodeAt: [Location: Int] = [:]
  private var locations: [Location] = []
  private var pending: [(node: Int, target: SchemaLibrary.Target)] = []
  private var dynamicNames: [ExactString] = []
  private(set) var warnings: [SchemaProblem] = []

  init(library: SchemaLibrary, assertsFormats: Bool) {
    self.library = library
    self.assertsFormats = assertsFormats
  }

  mutating func compile(_ schema: JSON) throws(SchemaProblem) -> SchemaGraph {
    let root = try node(for: library.addRoot(schema))
    var dynamicAnchors: [[Int: Int]] = []
    repeat {
      while let (index, target) = pending.popLast() { nodes[index] = try compile(target) }
      // A dynamic reference can lead to any resource that is used, and those schemas may make others used.
      dynamicAnchors = []
      let used = Set(nodes.compactMap { $0?.resource }).sorted()
      for name in dynamicNames {
        var anchors: [Int: Int] = [:]
        for resource in used {
          guard let location = library.resources[resource].dynamicAnchors[name], let json = library.json(at: location) else { continue }
          let owner = library.resource(at: location, within: resource)
          anchors[resource] = try node(for: SchemaLibrary.Target(location: location, resource: owner, json: json))
        }
        dynamicAnchors.append(anchors)
      }
    } while !pending.isEmpty
    warnings += library.warnings
    let compiled = nodes.compactMap(\.self)
    try refuseLoops(compiled)
    return SchemaGraph(nodes: compiled, root: root, dynamicAnchors: dynamicAnchors)
  }

  /// The node of a schema, which is compiled later if it is new.
  private mutating func node(for target: SchemaLibrary.Target) throws(SchemaProblem) -> Int {
    if let known = nodeAt[target.location] { return known }
    guard nodes.count < Self.maximumSchemas else {
      throw library.fault("schema-too-large", at: target.location, "there are more than \(Self.maximumSchemas) schemas")
    }
    nodeAt[target.location] = nodes.count
    nodes.append(nil)
    locations.append(target.location)
    pending.append((nodes.count - 1, target))
    return nodes.count - 1
  }

  // MARK: One schema

  private mutating func compile(_ target: SchemaLibrary.Target) throws(SchemaProblem) -> SchemaNode {
    if let verdict = target.json.boolValue { return SchemaNode(resource: target.resource, verdict: verdict) }
    guard let json = target.json.objectValue else {
      throw library.fault("schema-keyword", at: target.location, "a schema must be an object or a boolean, not \(target.json.described)")
    }
    let dialect = library.resources[target.resource].dialect
    let schema = SchemaSource(json: json, location: target.location, resource: target.resource, dialect: dialect, library: library)
    if dialect.draft == .draft7, json["$ref"] != nil {
      // Up to draft 7 a reference stands alone.
      return SchemaNode(
        resource: target.resource, types: .any, enumeration: nil, constant: nil, number: nil, string: nil, array: nil, object: nil,
        applicators: try references(schema), unevaluatedItems: -1, unevaluatedProperties: -1)
    }
    var applicators = try references(schema)
    if schema.has(.applicator) { applicators += try combinators(schema) }
    let unevaluated = schema.has(.unevaluated) && dialect.draft != .draft7
    return SchemaNode(
      resource: target.resource,
      types: schema.has(.validation) ? try schema.types() : .any,
      enumeration: schema.has(.validation) ? try schema.list("enum").map { AllowedValues($0) } : nil,
      constant: schema.has(.validation) ? json["const"] : nil,
      number: schema.has(.validation) ? try schema.numberRules() : nil,
      string: try stringRules(schema),
      array: try arrayRules(schema),
      object: try objectRules(schema),
      applicators: applicators,
      unevaluatedItems: unevaluated ? try child(schema, "unevaluatedItems") : -1,
      unevaluatedProperties: unevaluated ? try child(schema, "unevaluatedProperties") : -1)
  }

  private mutating func node(_ schema: SchemaSource, _ json: JSON, _ tokens: String) throws(SchemaProblem) -> Int {
    let location = schema.location.appending(tokens)
    let resource = library.resource(at: location, within: schema.resource)
    return try node(for: SchemaLibrary.Target(location: location, resource: resource, json: json))
  }

  /// The schema under a keyword, or −1.
  private mutating func child(_ schema: SchemaSource, _ keyword: String) throws(SchemaProblem) -> Int {
    guard let json = schema.json[keyword] else { return -1 }
    return try node(schema, json, JSONPointer.token(keyword))
  }

  private mutating func children(_ schema: SchemaSource, _ keyword: String) throws(SchemaProblem) -> [Int]? {
    guard let list = try schema.list(keyword) else { return nil }
    if list.isEmpty { throw schema.fault(keyword, "must hold at least one schema") }
    var nodes: [Int] = []
    for (index, json) in list.enumerated() { nodes.append(try node(schema, json, JSONPointer.token(keyword) + JSONPointer.token(index))) }
    return nodes
  }

  private mutating func members(_ schema: SchemaSource, _ keyword: String) throws(SchemaProblem) -> [(name: String, schema: Int)] {
    guard let map = try schema.map(keyword) else { return [] }
    var members: [(name: String, schema: Int)] = []
    for (name, json) in map { members.append((name, try node(schema, json, JSONPointer.token(keyword) + JSONPointer.token(name)))) }
    return members
  }

  // MARK: References

  private mutating func references(_ schema: SchemaSource) throws(SchemaProblem) -> [SchemaApplicator] {
    var applicators: [SchemaApplicator] = []
    if let reference = try schema.text("$ref") {
      let target = try library.resolve(reference, from: schema.resource, at: schema.location)
      applicators.append(.reference(try node(for: target)))
    }
    switch schema.dialect.draft {
    case .draft7: break
    case .draft2019:
      guard let reference = try schema.text("$recursiveRef") else { break }
      guard reference == "#" else { throw schema.fault("$recursiveRef", "must be `#`") }
      let target = try library.resolve("#", from: schema.resource, at: schema.location)
      applicators.append(try dynamicReference(to: target, named: Self.recursiveAnchor))
    case .draft2020:
      guard let reference = try schema.text("$dynamicRef") else { break }
      let target = try library.resolve(reference, from: schema.resource, at: schema.location)
      let fragment = SchemaURI(reference).fragment.flatMap { JSONPointer.percentDecoded($0) } ?? ""
      applicators.append(try dynamicReference(to: target, named: ExactString(fragment)))
    }
    return applicators
  }

  private mutating func dynamicReference(to target: SchemaLibrary.Target, named name: ExactString) throws(SchemaProblem) -> SchemaApplicator
  {
    let node = try node(for: target)
    // Only a reference that at first leads to a dynamic anchor is dynamic.
    guard library.resources[target.resource].dynamicAnchors[name] == target.location else { return .reference(node) }
    let index = dynamicNames.firstIndex(of: name) ?? dynamicNames.count
    if index == dynamicNames.count { dynamicNames.append(name) }
    return .dynamicReference(node, name: index)
  }

  private mutating func combinators(_ schema: SchemaSource) throws(SchemaProblem) -> [SchemaApplicator] {
    var applicators: [SchemaApplicator] = []
    if let all = try children(schema, "allOf") { applicators.append(.all(all)) }
    if let any = try children(schema, "anyOf") { applicators.append(.any(any)) }
    if let one = try children(schema, "oneOf") { applicators.append(.one(one)) }
    let not = try child(schema, "not")
    if not >= 0 { applicators.append(.not(not)) }
    let condition = try child(schema, "if")
    let (then, otherwise) = (try child(schema, "then"), try child(schema, "else"))
    // Even alone, `if` evaluates what it matches.
    if condition >= 0 { applicators.append(.conditional(if: condition, then: then, else: otherwise)) }
    return applicators
  }

  // MARK: Rules by kind of value

  private mutating func stringRules(_ schema: SchemaSource) throws(SchemaProblem) -> StringRules? {
    let asserts = schema.has(.validation)
    let minimum = asserts ? try schema.count("minLength") : nil
    let maximum = asserts ? try schema.count("maxLength") : nil
    var pattern: LinearRegex?
    if asserts, let text = try schema.text("pattern") { pattern = try schema.regex(text, "pattern") }
    var format: SchemaFormat?
    if let name = try schema.text("format"), assertsFormats || schema.has(.formatAssertion) {
      format = SchemaFormat(name: name)
      if format == nil { warnAboutFormat(name, schema) }
    }
    if minimum == nil, maximum == nil, pattern == nil, format == nil { return nil }
    return StringRules(minimumLength: minimum ?? 0, maximumLength: maximum ?? .max, pattern: pattern, format: format)
  }

  private mutating func warnAboutFormat(_ name: String, _ schema: SchemaSource) {
    warnings.append(
      library.warning(
        "schema-unknown-format", at: schema.location, keyword: "format", "the format `\(visible(name))` is not checked",
        hint: nearestName(to: name, in: SchemaFormat.names).map { "did you mean `\($0)`?" }))
  }

  private mutating func arrayRules(_ schema: SchemaSource) throws(SchemaProblem) -> ArrayRules? {
    var prefix: [Int] = []
    var (items, contains) = (-1, -1)
    let isModern = schema.dialect.draft == .draft2020
    if schema.has(.applicator) {
      contains = try child(schema, "contains")
      if isModern {
        prefix = try children(schema, "prefixItems") ?? []
        if case .array = schema.json["items"] {
          throw schema.fault(
            "items", "must be a schema, not an array", hint: "a list of schemas, one for each place, is called `prefixItems`")
        }
        items = try child(schema, "items")
      } else if case .array(let list) = schema.json["items"] {
        for (index, json) in list.enumerated() { prefix.append(try node(schema, json, "/items" + JSONPointer.token(index))) }
        items = try child(schema, "additionalItems")
      } else {
        items = try child(schema, "items")
      }
    }
    let asserts = schema.has(.validation)
    let minimum = asserts ? try schema.count("minItems") : nil
    let maximum = asserts ? try schema.count("maxItems") : nil
    let unique = asserts ? try schema.flag("uniqueItems") : false
    let countsContains = asserts && schema.dialect.draft != .draft7
    let minimumContains = countsContains ? try schema.count("minContains") : nil
    let maximumContains = countsContains ? try schema.count("maxContains") : nil
    if prefix.isEmpty, items < 0, contains < 0, minimum == nil, maximum == nil, !unique { return nil }
    return ArrayRules(
      prefix: prefix, items: items, minimumCount: minimum ?? 0, maximumCount: maximum ?? .max, mustBeUnique: unique, contains: contains,
      minimumContains: minimumContains ?? 1, maximumContains: maximumContains ?? .max, containsEvaluates: isModern)
  }

  private mutating func objectRules(_ schema: SchemaSource) throws(SchemaProblem) -> ObjectRules? {
    var properties: [(name: String, schema: Int)] = []
    var patterns: [(pattern: LinearRegex, schema: Int)] = []
    var dependentSchemas: [(name: String, schema: Int)] = []
    var dependentRequired: [(name: String, required: [String])] = []
    var (additional, names) = (-1, -1)
    let asserts = schema.has(.validation)
    if schema.has(.applicator) {
      properties = try members(schema, "properties")
      for (pattern, node) in try members(schema, "patternProperties") {
        patterns.append((try schema.regex(pattern, "patternProperties"), node))
      }
      additional = try child(schema, "additionalProperties")
      names = try child(schema, "propertyNames")
      if schema.dialect.draft != .draft7 { dependentSchemas = try members(schema, "dependentSchemas") }
      for (name, value) in try schema.map("dependencies") ?? [:] {
        if case .array = value {
          dependentRequired.append((name, try schema.names(value, "dependencies")))
        } else {
          dependentSchemas.append((name, try node(schema, value, "/dependencies" + JSONPointer.token(name))))
        }
      }
    }
    if asserts, schema.dialect.draft != .draft7 {
      for (name, value) in try schema.map("dependentRequired") ?? [:] {
        dependentRequired.append((name, try schema.names(value, "dependentRequired")))
      }
    }
    let required =
      asserts ? try schema.json["required"].map { (value) throws(SchemaProblem) in try schema.names(value, "required") } ?? [] : []
    let minimum = asserts ? try schema.count("minProperties") : nil
    let maximum = asserts ? try schema.count("maxProperties") : nil
    if properties.isEmpty, patterns.isEmpty, dependentSchemas.isEmpty, dependentRequired.isEmpty, additional < 0, names < 0,
      required.isEmpty, minimum == nil, maximum == nil
    {
      return nil
    }
    return ObjectRules(
      properties: properties, required: required, patterns: patterns, additional: additional, names: names, minimumCount: minimum ?? 0,
      maximumCount: maximum ?? .max, dependentRequired: dependentRequired, dependentSchemas: dependentSchemas)
  }

  // MARK: Loops

  /// Refuses schemas that apply themselves to the same value again, which some value could keep going for ever.
  private func refuseLoops(_ nodes: [SchemaNode]) throws(SchemaProblem) {
    enum Mark { case new, open, done }
    var marks = [Mark](repeating: .new, count: nodes.count)
    for start in nodes.indices where marks[start] == .new {
      var stack = [(node: start, next: 0)]
      var edges = [nodes[start].inPlace]
      marks[start] = .open
      while let (node, next) = stack.last {
        guard next < edges[edges.count - 1].count else {
          marks[node] = .done
          stack.removeLast()
          edges.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let target = edges[edges.count - 1][next]
        switch marks[target] {
        case .done: continue
        case .new:
          marks[target] = .open
          stack.append((target, 0))
          edges.append(nodes[target].inPlace)
        case .open:
          let loop = stack.drop { $0.node != target }.map(\.node) + [target]
          let way = loop.prefix(6).map { "`#\(visible(locations[$0].pointer.string))`" }.joined(separator: " → ")
          throw library.fault(
            "schema-loop", at: locations[target], "the schema applies itself to the same value: \(way)\(loop.count > 6 ? " → …" : "")",
            hint: "a schema may refer to itself only below `properties`, `items` and the like")
        }
      }
    }
  }
}
