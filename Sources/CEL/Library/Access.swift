/// The value of a field of a map, or of a map in an optional; nil where there is none.
///
/// - Throws: For a value that has no fields.
func selectField(_ name: String, of value: CELValue) throws(Failure) -> CELValue? {
  switch value {
  case .map(let map): return map[field: name]
  case .optional(let wrapped):
    guard let wrapped, let field = try selectField(name, of: wrapped) else { return .optional(nil) }
    return .optional(field)
  default: throw Failure(.noSuchOverload, "a value of type `\(value.type.runtimeName)` has no field `\(name)`")
  }
}

/// Whether a map, or a map in an optional, has the field.
func hasField(_ name: String, of value: CELValue) throws(Failure) -> Bool {
  switch value {
  case .map(let map): return map[field: name] != nil
  case .optional(let wrapped):
    guard let wrapped else { return false }
    return try hasField(name, of: wrapped)
  default: throw Failure(.noSuchOverload, "a value of type `\(value.type.runtimeName)` has no field `\(name)`")
  }
}

/// `value[index]`; nil where a list or map has no such place.
func element(_ index: CELValue, of value: CELValue, _ meter: inout Meter) throws(Failure) -> CELValue? {
  switch value {
  case .list(let list):
    let place: Int?
    switch index {
    case .int(let number): place = Int(exactly: number)
    case .uint(let number): place = Int(exactly: number)
    case .double(let number): place = Int(exactly: number)
    default: throw noOverload("_[_]", value, index)
    }
    guard let place else { throw Failure(.invalidArgument, "a list index must be an integer") }
    return list.indices.contains(place) ? list[place] : nil
  case .map(let map):
    guard let key = CELMap.Key(index) else {
      if case .double = index { return nil }
      throw Failure(.noSuchOverload, "a value of type `\(index.type.runtimeName)` cannot be a map key")
    }
    try meter.spend(key)
    return map[key]
  case .optional(let wrapped):
    guard let wrapped, let element = try element(index, of: wrapped, &meter) else { return .optional(nil) }
    return .optional(element)
  default: throw noOverload("_[_]", value, index)
  }
}

/// `value in container`.
func isMember(_ value: CELValue, of container: CELValue, _ meter: inout Meter) throws(Failure) -> Bool {
  switch container {
  case .list(let list):
    for element in list {
      try meter.spend(1)
      if try equal(value, element, &meter) { return true }
    }
    return false
  case .map(let map):
    guard let key = CELMap.Key(value) else { return false }
    try meter.spend(key)
    return map.contains(key)
  default: throw noOverload("@in", value, container)
  }
}
