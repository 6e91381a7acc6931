internal import Glibc

/// Where one value of canonical JSON lies in its bytes, and where the value behind it is noted.
///
/// A list of them stands for a value: a container is followed by what it holds, a member by its key and then its value.
@_spi(JSONParser)
public struct CanonicalNode: Sendable {
  enum Kind: UInt8, Sendable { case null, no, yes, number, ascii, text, escaped, array, object }

  var start: UInt32
  var end: UInt32
  /// The place, in the list, of what follows this value and all that it holds.
  var next: UInt32
  /// A text is plain, also beyond ASCII, or has escapes.
  var kind: Kind

  /// The bytes of a scalar; those of a text without its quotes.
  var range: Range<Int> { Int(start)..<Int(end) }

  var isText: Bool { kind == .ascii || kind == .text || kind == .escaped }

  /// The value of a text.
  func string(in bytes: UnsafeBufferPointer<UInt8>) -> String {
    let content = UnsafeBufferPointer(rebasing: bytes[range])
    if kind == .ascii { return String(ascii: content) }
    if kind == .escaped { return CanonicalReader.unescaped(content) ?? "" }
    return String(decoding: content, as: UTF8.self)
  }

  /// The value of a number.
  func number(in bytes: UnsafeBufferPointer<UInt8>) -> JSONNumber {
    if let small = small(in: bytes) { return JSONNumber(small) }
    return JSONNumber(decimal: String(decoding: bytes[range], as: UTF8.self)) ?? JSONNumber(0)
  }

  /// An integer of few digits.
  private func small(in bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    let isNegative = bytes[Int(start)] == UInt8(ascii: "-")
    guard end - start < 18 else { return nil }
    var magnitude: Int64 = 0
    for place in (Int(start) + (isNegative ? 1 : 0))..<Int(end) {
      guard bytes[place] &- 48 < 10 else { return nil }
      magnitude = magnitude &* 10 &+ Int64(bytes[place] &- 48)
    }
    return isNegative ? -magnitude : magnitude
  }
}

/// A list of nodes with the bytes that they are about, while the caller holds both.
struct CanonicalNodes {
  let bytes: UnsafeBufferPointer<UInt8>
  let nodes: UnsafeBufferPointer<CanonicalNode>

  subscript(place: Int) -> CanonicalNode {
    @inline(__always) get { nodes[place] }
  }

  /// The place of a member's value.
  func member(_ key: UnsafeBufferPointer<UInt8>, of place: Int) -> Int? {
    guard nodes[place].kind == .object else { return nil }
    let end = Int(nodes[place].next)
    var member = place + 1
    while member < end {
      if isKey(key, at: member) { return member + 1 }
      member = Int(nodes[member + 1].next)
    }
    return nil
  }

  /// Whether the node of a key is the one of these bytes.
  @inline(__always)
  func isKey(_ key: UnsafeBufferPointer<UInt8>, at place: Int) -> Bool {
    let node = nodes[place]
    if node.kind == .escaped { return isEscapedKey(key, node) }
    guard Int(node.end &- node.start) == key.count else { return false }
    guard let wanted = key.baseAddress, let base = bytes.baseAddress else { return true }
    return memcmp(base + Int(node.start), wanted, key.count) == 0
  }

  private func isEscapedKey(_ key: UnsafeBufferPointer<UInt8>, _ node: CanonicalNode) -> Bool {
    var text = node.string(in: bytes)
    return text.withUTF8 { same(key, $0) }
  }

  /// How many values a container holds.
  private func count(of place: Int) -> Int {
    count(in: (place + 1)..<Int(nodes[place].next), step: nodes[place].kind == .object ? 1 : 0)
  }

  /// How many values lie at these places, each with so many nodes before it.
  func count(in places: Range<Int>, step: Int) -> Int {
    var count = 0
    var child = places.lowerBound
    while child < places.upperBound {
      child = Int(nodes[child + step].next)
      count += 1
    }
    return count
  }

  /// The value as a tree.
  func json(_ place: Int, _ names: inout NameTable) -> JSON {
    let node = nodes[place]
    switch node.kind {
    case .null: return .null
    case .no: return .bool(false)
    case .yes: return .bool(true)
    case .number: return .number(node.number(in: bytes))
    case .ascii, .text, .escaped: return .string(node.string(in: bytes))
    case .array:
      var elements: [JSON] = []
      elements.reserveCapacity(count(of: place))
      var child = place + 1
      while child < Int(node.next) {
        elements.append(json(child, &names))
        child = Int(nodes[child].next)
      }
      return .array(elements)
    case .object: return .object(object(place, &names))
    }
  }

  private func object(_ place: Int, _ names: inout NameTable) -> JSONObject {
    var members: [JSONObject.Element] = []
    members.reserveCapacity(count(of: place))
    var key = place + 1
    while key < Int(nodes[place].next) {
      let node = nodes[key]
      let name = node.kind == .ascii ? names.text(UnsafeBufferPointer(rebasing: bytes[node.range])) : node.string(in: bytes)
      members.append((name, json(key + 1, &names)))
      key = Int(nodes[key + 1].next)
    }
    return JSONObject(unchecked: members, isSorted: true)
  }
}

/// Whether two buffers hold the same bytes.
func same(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
  guard a.count == b.count else { return false }
  guard let first = a.baseAddress, let second = b.baseAddress else { return true }
  return memcmp(first, second, a.count) == 0
}

extension String {
  /// Makes a text of bytes that are known to be ASCII; a short one needs no memory.
  @inline(__always)
  init(ascii bytes: UnsafeBufferPointer<UInt8>) {
    if bytes.count > 15 {
      self.init(decoding: bytes, as: UTF8.self)
    } else {
      self.init(unsafeUninitializedCapacity: bytes.count) { $0.update(fromContentsOf: bytes) }
    }
  }
}

/// Room for what a ``CanonicalReader`` notes, to be used again and again.
@_spi(JSONParser)
public final class NodeBuffer {
  private var list = UnsafeMutableBufferPointer<CanonicalNode>.allocate(capacity: 1024)

  /// Room for few nodes.
  public init() {}

  deinit { list.deallocate() }

  /// Room for all nodes of so many bytes; valid until the next call.
  public func room(for count: Int) -> UnsafeMutableBufferPointer<CanonicalNode> {
    let needed = CanonicalReader.capacity(for: count)
    if needed > list.count {
      list.deallocate()
      list = .allocate(capacity: needed)
    }
    return list
  }
}

/// Canonical JSON that was checked, to be read where it lies: nothing is made of it but what someone asks for.
///
/// Its memory is written only while nobody else holds it: threads may share it.
@_spi(JSONParser)
public final class CanonicalText: @unchecked Sendable {
  private struct Header {
    var nodes: Int
    var bytes: Int
  }

  private let memory: UnsafeMutableRawPointer
  private let capacity: Int

  private init(capacity: Int) {
    memory = .allocate(byteCount: capacity, alignment: 16)
    memory.storeBytes(of: Header(nodes: 0, bytes: 0), as: Header.self)
    self.capacity = capacity
  }

  deinit { memory.deallocate() }

  /// Keeps what a reader noted, with the bytes up to where it stands.
  ///
  /// The memory of what was kept before, `last`, is used again where nobody else holds it any more.
  public static func keep(_ reader: borrowing CanonicalReader, reusing last: inout CanonicalText?) -> CanonicalText {
    let needed = size(reader)
    if let last = reusable(&last, needed) {
      last.write(reader)
      return last
    }
    let fresh = CanonicalText(capacity: max(4096, needed))
    fresh.write(reader)
    last = fresh
    return fresh
  }

  private static func reusable(_ last: inout CanonicalText?, _ needed: Int) -> CanonicalText? {
    guard isKnownUniquelyReferenced(&last), let last, last.capacity >= needed else { return nil }
    return last
  }

  private static func size(_ reader: borrowing CanonicalReader) -> Int {
    MemoryLayout<Header>.stride + reader.noted.nodes.count * MemoryLayout<CanonicalNode>.stride + reader.offset
  }

  private func write(_ reader: borrowing CanonicalReader) {
    let noted = reader.noted
    memory.storeBytes(of: Header(nodes: noted.nodes.count, bytes: reader.offset), as: Header.self)
    var rest = memory + MemoryLayout<Header>.stride
    let size = noted.nodes.count * MemoryLayout<CanonicalNode>.stride
    if let nodes = noted.nodes.baseAddress { rest.copyMemory(from: nodes, byteCount: size) }
    rest += size
    if let bytes = noted.bytes.baseAddress { rest.copyMemory(from: bytes, byteCount: reader.offset) }
  }

  /// Reads canonical JSON; nil where it is none, whether or not it is other JSON.
  static func read(_ bytes: [UInt8]) -> CanonicalText? {
    bytes.withUnsafeBytes { bytes in
      withUnsafeTemporaryAllocation(of: CanonicalNode.self, capacity: CanonicalReader.capacity(for: bytes.count)) { list in
        var reader = CanonicalReader(bytes, list)
        do throws(CanonicalReader.Malformed) { try reader.value() } catch { return nil }
        guard reader.isAtEnd else { return nil }
        let text = CanonicalText(capacity: size(reader))
        text.write(reader)
        return text
      }
    }
  }

  /// What it holds.
  var nodes: CanonicalNodes {
    let header = memory.load(as: Header.self)
    let nodes = (memory + MemoryLayout<Header>.stride).assumingMemoryBound(to: CanonicalNode.self)
    let bytes = UnsafeRawPointer(nodes + header.nodes).assumingMemoryBound(to: UInt8.self)
    return CanonicalNodes(
      bytes: UnsafeBufferPointer(start: bytes, count: header.bytes), nodes: UnsafeBufferPointer(start: nodes, count: header.nodes))
  }
}

extension CanonicalReader {
  /// Reads a value as a tree.
  public mutating func tree(_ names: inout NameTable) throws(Malformed) -> JSON {
    try value()
    return made(&names)
  }

  /// What was noted, as a tree.
  public func made(_ names: inout NameTable) -> JSON { noted.json(0, &names) }
}
