/// A JSON value to read from: a tree, or canonical text that was checked and is read where it lies.
///
/// Who reads a log folds each entry once and looks at few of its members: no tree is made for that. Both forms answer alike; a property test
/// compares them.
public struct JSONView: Sendable {
  fileprivate enum Form: Sendable {
    case tree(JSON)
    case text(CanonicalText, Int)
  }

  fileprivate let form: Form

  /// A view of a tree.
  public init(_ json: JSON) { form = .tree(json) }

  /// A view of canonical text.
  @_spi(JSONParser)
  public init(_ text: CanonicalText) { form = .text(text, 0) }

  fileprivate init(_ text: CanonicalText, _ place: Int) { form = .text(text, place) }

  /// Reads strict JSON, without making a tree of canonical bytes.
  ///
  /// - Throws: ``JSONError`` exactly where ``JSON/parse(_:file:maximumDepth:)-([UInt8],_,_)`` does.
  public static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONView {
    if let text = CanonicalText.read(bytes) { return JSONView(text) }
    return JSONView(try JSON.parse(bytes))
  }

  /// The value of an object's member; nil where this is no object or has no such member.
  ///
  /// - Complexity: O(members), each a comparison of lengths.
  public subscript(key: String) -> JSONView? {
    switch form {
    case .tree(let json): return json[key].map { JSONView($0) }
    case .text(let text, let place):
      var key = key
      guard let place = key.withUTF8({ text.nodes.member($0, of: place) }) else { return nil }
      return JSONView(text, place)
    }
  }

  /// The text, where this is a string.
  public var stringValue: String? {
    switch form {
    case .tree(let json): return json.stringValue
    case .text(let text, let place):
      let node = text.nodes[place]
      return node.isText ? node.string(in: text.nodes.bytes) : nil
    }
  }

  /// The truth value, where this is one.
  public var boolValue: Bool? {
    switch form {
    case .tree(let json): json.boolValue
    case .text(let text, let place):
      switch text.nodes[place].kind {
      case .yes: true
      case .no: false
      default: nil
      }
    }
  }

  /// The integer, where this is a number that is one and fits in 64 bits.
  public var intValue: Int64? {
    switch form {
    case .tree(let json): return json.intValue
    case .text(let text, let place):
      let node = text.nodes[place]
      return node.kind == .number ? node.number(in: text.nodes.bytes).int64 : nil
    }
  }

  /// The digest, where this is a string of its 64 lower-case hexadecimal digits.
  public var digestValue: Digest? {
    switch form {
    case .tree(let json): return json.stringValue.flatMap { Digest(hex: $0) }
    case .text(let text, let place):
      let node = text.nodes[place]
      guard node.kind == .ascii else { return nil }
      return Digest(hexDigits: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: text.nodes.bytes[node.range])))
    }
  }

  /// The elements, where this is an array.
  public var elements: Elements? {
    switch form {
    case .tree(.array(let elements)): return Elements(rest: .tree(elements, 0))
    case .tree: return nil
    case .text(let text, let place):
      let node = text.nodes[place]
      return node.kind == .array ? Elements(rest: .text(text, (place + 1)..<Int(node.next))) : nil
    }
  }

  /// The members, where this is an object.
  public var members: Members? {
    switch form {
    case .tree(.object(let object)): return Members(rest: .tree(object, 0))
    case .tree: return nil
    case .text(let text, let place):
      let node = text.nodes[place]
      return node.kind == .object ? Members(rest: .text(text, (place + 1)..<Int(node.next))) : nil
    }
  }

  /// The elements of an array, one after the other.
  public struct Elements: Sequence, IteratorProtocol, Sendable {
    fileprivate enum Rest: Sendable {
      case tree([JSON], Int)
      case text(CanonicalText, Range<Int>)
    }

    fileprivate var rest: Rest

    /// How many are left.
    public var count: Int {
      switch rest {
      case .tree(let elements, let place): elements.count - place
      case .text(let text, let places): text.nodes.count(in: places, step: 0)
      }
    }

    /// The next one.
    public mutating func next() -> JSONView? {
      switch rest {
      case .tree(let elements, let place):
        guard place < elements.count else { return nil }
        rest = .tree(elements, place + 1)
        return JSONView(elements[place])
      case .text(let text, let places):
        guard !places.isEmpty else { return nil }
        rest = .text(text, Int(text.nodes[places.lowerBound].next)..<places.upperBound)
        return JSONView(text, places.lowerBound)
      }
    }
  }

  /// The members of an object, one after the other in its order; that of canonical text is sorted.
  public struct Members: Sendable {
    fileprivate enum Rest: Sendable {
      case tree(JSONObject, Int)
      case text(CanonicalText, Range<Int>)
    }

    fileprivate var rest: Rest

    /// How many are left.
    public var count: Int {
      switch rest {
      case .tree(let members, let place): members.count - place
      case .text(let text, let places): text.nodes.count(in: places, step: 1)
      }
    }

    /// The key of the next one; nil where none is left.
    public var nextKey: String? {
      switch rest {
      case .tree(let members, let place): place < members.count ? members[place].key : nil
      case .text(let text, let places): places.isEmpty ? nil : text.nodes[places.lowerBound].string(in: text.nodes.bytes)
      }
    }

    /// Passes the next one if it has this key.
    public mutating func next(_ key: String) -> JSONView? {
      switch rest {
      case .tree(let members, let place):
        guard place < members.count, bytesEqual(members[place].key, key) else { return nil }
        rest = .tree(members, place + 1)
        return JSONView(members[place].value)
      case .text(let text, let places):
        var key = key
        guard !places.isEmpty, key.withUTF8({ text.nodes.isKey($0, at: places.lowerBound) }) else { return nil }
        rest = .text(text, Int(text.nodes[places.lowerBound + 1].next)..<places.upperBound)
        return JSONView(text, places.lowerBound + 1)
      }
    }
  }
}

extension JSON {
  /// Makes a tree of a view.
  ///
  /// - Complexity: O(1) for a view of a tree, O(size of the value) for one of text.
  public init(_ view: JSONView) {
    switch view.form {
    case .tree(let json): self = json
    case .text(let text, let place):
      var names = NameTable.none
      self = text.nodes.json(place, &names)
    }
  }
}
