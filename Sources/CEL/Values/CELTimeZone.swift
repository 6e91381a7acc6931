/// The offsets of a time zone from UTC over time, read from the zone information format (TZif) in which machines keep them.
///
/// - SeeAlso: RFC 9636, "The Time Zone Information Format (TZif)".
public struct CELTimeZone: Sendable {
  private struct Rule: Sendable {
    /// Unix seconds from which the offset holds.
    var start: Int64
    /// Seconds east of UTC.
    var offset: Int32
  }

  private let first: Int32
  private let rules: [Rule]
  private let footer: ZoneFooter?

  /// A zone with one offset, in seconds east of UTC.
  public init(offset: Int32) {
    first = offset
    rules = []
    footer = nil
  }

  /// Reads a zone file of version 2 or later; nil where the bytes are none.
  ///
  /// - Complexity: O(n) for n bytes.
  public init?(tzif bytes: [UInt8]) {
    var reader = ZoneReader(bytes: bytes)
    guard let old = reader.header(), old.version >= UInt8(ascii: "2") else { return nil }
    reader.place += old.size(timeSize: 4)
    guard let header = reader.header(), header.typeCount > 0, reader.place + header.size(timeSize: 8) <= bytes.count else { return nil }
    var starts: [Int64] = []
    for _ in 0..<header.timeCount { starts.append(reader.integer(8)) }
    var kinds: [Int] = []
    for _ in 0..<header.timeCount { kinds.append(Int(reader.integer(1)) & 0xFF) }
    var offsets: [Int32] = []
    for _ in 0..<header.typeCount {
      offsets.append(Int32(truncatingIfNeeded: reader.integer(4)))
      reader.place += 2
    }
    guard kinds.allSatisfy({ $0 < offsets.count }), zip(starts, starts.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
    reader.place += header.tail(timeSize: 8)
    first = offsets[0]
    rules = zip(starts, kinds).map { Rule(start: $0, offset: offsets[$1]) }
    footer = ZoneFooter(reader.footer())
  }

  /// The offset at a point in time.
  ///
  /// - Parameter seconds: Unix time.
  /// - Returns: Seconds east of UTC.
  /// - Complexity: O(log n) for n changes.
  public func offset(at seconds: Int64) -> Int32 {
    if let last = rules.last, seconds >= last.start { return footer?.offset(at: seconds) ?? last.offset }
    var (low, high) = (0, rules.count)
    while low < high {
      let middle = (low + high) / 2
      if rules[middle].start <= seconds { low = middle + 1 } else { high = middle }
    }
    if low == 0 { return rules.isEmpty ? footer?.offset(at: seconds) ?? first : first }
    return rules[low - 1].offset
  }

  /// The seconds east of UTC that `+02:00`, `-02:30`, `02:00`, `UTC` or `Z` stands for; nil for a name.
  static func fixedOffset(_ name: String) -> Int32? {
    if name == "UTC" || name == "Z" || name.isEmpty { return 0 }
    var rest = Substring(name).utf8
    var sign: Int32 = 1
    if let first = rest.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
      if first == UInt8(ascii: "-") { sign = -1 }
      rest.removeFirst()
    }
    let parts = rest.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) && $0.allSatisfy(isDigit) }),
      let hours = Int32(Substring(parts[0])),
      let minutes = Int32(Substring(parts[1])), hours < 24, minutes < 60
    else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }
}

private struct ZoneReader {
  struct Header {
    var version: UInt8
    var universalCount, standardCount, leapCount, timeCount, typeCount, textSize: Int

    func size(timeSize: Int) -> Int { timeCount * (timeSize + 1) + typeCount * 6 + tail(timeSize: timeSize) }
    func tail(timeSize: Int) -> Int { textSize + leapCount * (timeSize + 4) + standardCount + universalCount }
  }

  let bytes: [UInt8]
  var place = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func header() -> Header? {
    guard place + 44 <= bytes.count, bytes[place..<place + 4].elementsEqual("TZif".utf8) else { return nil }
    let version = bytes[place + 4]
    place += 20
    var counts: [Int] = []
    for _ in 0..<6 { counts.append(Int(integer(4))) }
    guard counts.allSatisfy({ (0...bytes.count).contains($0) }) else { return nil }
    return Header(
      version: version, universalCount: counts[0], standardCount: counts[1], leapCount: counts[2], timeCount: counts[3],
      typeCount: counts[4], textSize: counts[5])
  }

  /// A big-endian integer with a sign.
  mutating func integer(_ size: Int) -> Int64 {
    var value: Int64 = bytes[place] & 0x80 == 0 ? 0 : -1
    for byte in bytes[place..<place + size] { value = value << 8 | Int64(byte) }
    place += size
    return value
  }

  /// The line after the data, which says what holds after the last change.
  func footer() -> String {
    guard place < bytes.count, bytes[place] == 0x0A, let end = bytes[(place + 1)...].firstIndex(of: 0x0A) else { return "" }
    return String(decoding: bytes[place + 1..<end], as: UTF8.self)
  }
}
