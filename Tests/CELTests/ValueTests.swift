import CEL
import Core
import Glibc
import TestSupport
import Testing

@Suite struct TimeTests {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0, 0), ("2026-01-31T12:30:45.123456789Z", 1_769_862_645, 123_456_789),
      ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
      ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999), ("2024-02-29T23:59:59+01:00", 1_709_247_599, 0),
      ("2026-01-31t12:30:45z", 1_769_862_645, 0), ("1969-12-31T23:59:59.5Z", -1, 500_000_000),
      ("2026-01-31T12:30:45.1-00:30", 1_769_864_445, 100_000_000),
    ] as [(String, Int64, Int32)])
  func timestampsAreRead(_ text: String, _ seconds: Int64, _ nanoseconds: Int32) {
    let time = CELTimestamp(text)
    #expect(time?.seconds == seconds)
    #expect(time?.nanoseconds == nanoseconds)
    #expect(time.flatMap { CELTimestamp($0.description) } == time)
  }

  @Test(arguments: [
    "", "2026", "2026-01-31", "2026-01-31T12:30Z", "2026-01-31T12:30:45", "2026-02-30T00:00:00Z", "2023-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:30:60Z", "2026-01-31T12:30:45.Z", "2026-01-31T12:30:45.1234567890Z",
    "2026-01-31T12:30:45+1:00", "2026-01-31T12:30:45+24:00", "2026-01-31T12:30:45Z ", "0000-12-31T23:59:59Z", "10000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "+026-01-31T12:30:45Z", "２026-01-31T12:30:45Z",
  ])
  func otherTextsAreNoTimestamps(_ text: String) { #expect(CELTimestamp(text) == nil) }

  @Test func timestampsRoundTripThroughTheCalendar() {
    withSeeds(2_000) { seed, random in
      guard let time = CELTimestamp(seconds: Int64.random(in: -62_135_596_800...253_402_300_799, using: &random)) else { return }
      #expect(CELTimestamp(time.description) == time, "SEED=\(seed)")
      let length = Int64.random(in: -(1 << 62)...(1 << 62), using: &random)
      guard let later = time.adding(nanoseconds: length) else { return }
      #expect(later.since(time)?.nanoseconds == length, "SEED=\(seed)")
      #expect((later > time) == (length > 0), "SEED=\(seed)")
    }
    #expect(CELTimestamp(milliseconds: -1)?.description == "1969-12-31T23:59:59.999Z")
  }

  @Test(
    arguments: [
      ("0", 0), ("1s", 1_000_000_000), ("-1.5s", -1_500_000_000), ("1h30m", 5_400_000_000_000), ("1h1m1s1ms1us1ns", 3_661_001_001_001),
      ("250ms", 250_000_000), (".5s", 500_000_000), ("1.s", 1_000_000_000), ("+2µs", 2_000), ("9223372036.854775807s", .max),
      ("-9223372036.854775808s", .min),
    ] as [(String, Int64)])
  func durationsAreRead(_ text: String, _ nanoseconds: Int64) { #expect(CELDuration(text)?.nanoseconds == nanoseconds) }

  @Test(arguments: ["", "-", "1", "s", ".s", "1 s", "1d", "1h-1m", "9223372036.854775808s", "99999999999999999999s", "1s ", "１s"])
  func otherTextsAreNoDurations(_ text: String) { #expect(CELDuration(text) == nil) }

  @Test(
    arguments: [
      (1_500_000_000, "1.5s"), (-1, "-0.000000001s"), (0, "0s"), (3_600_000_000_000, "3600s"), (.min, "-9223372036.854775808s"),
    ] as [(Int64, String)])
  func durationsAreWrittenInSeconds(_ nanoseconds: Int64, _ text: String) {
    #expect(CELDuration(nanoseconds: nanoseconds).description == text)
    #expect(CELDuration(text)?.nanoseconds == nanoseconds)
  }
}

@Suite struct TimeZoneTests {
  /// Zones as the C library sees them, at times that no file lists as well.
  @Test(
    .enabled(if: access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0, "the zone files of this machine are absent"),
    arguments: [
      "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Sydney", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia",
      "America/Sao_Paulo", "Europe/Dublin", "Antarctica/Troll", "Asia/Tokyo",
    ])
  func offsetsAgreeWithTheCLibrary(_ name: String) throws {
    let zone = try #require(CELTimeZone(tzif: try RegularFile.read("/usr/share/zoneinfo/\(name)", maximumBytes: 1 << 20)))
    try CLibraryZone.with(name) { offset in
      withSeeds(1_000) { seed, random in
        // 1900 to 2150: before, in and after the changes that the file lists.
        let seconds = Int64.random(in: -2_208_988_800...5_680_281_600, using: &random)
        #expect(Int64(zone.offset(at: seconds)) == offset(seconds), "SEED=\(seed) \(name) at \(seconds)")
      }
    }
  }

  @Test func anythingElseIsNoZoneFile() throws {
    #expect(CELTimeZone(tzif: []) == nil)
    #expect(CELTimeZone(tzif: Array("TZif2".utf8)) == nil)
    guard access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0 else { return }
    let file = try RegularFile.read("/usr/share/zoneinfo/Europe/Berlin", maximumBytes: 1 << 20)
    for length in 0..<file.count { _ = CELTimeZone(tzif: Array(file[..<length])) }
    withSeeds(2_000) { _, random in
      var garbled = file
      for _ in 0..<4 { garbled[Int.random(in: 0..<garbled.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
      _ = CELTimeZone(tzif: garbled)?.offset(at: Int64.random(in: -(1 << 33)...(1 << 34), using: &random))
    }
  }

  @Test func aZoneThatIsKnownOnlyAtEvaluationIsFoundThen() throws {
    var environment = CELEnvironment()
    environment.declare("t", .timestamp)
    environment.declare("zone", .string)
    environment.timeZone = { $0 == "Test/Two" ? CELTimeZone(offset: 7200) : nil }
    let program = try environment.compile("t.getHours(zone)")
    let time = CELTimestamp("2026-01-31T12:00:00Z").map { CELValue.timestamp($0) }
    #expect(try program.evaluate(["t": #require(time), "zone": "Test/Two"]) == 14)
    #expect(try program.evaluate(["t": #require(time), "zone": "-03:30"]) == 8)
    let error = #expect(throws: CELEvaluationError.self) { try program.evaluate(["t": #require(time), "zone": "Test/Three"]) }
    #expect(error?.message == "unknown time zone")
    #expect(try environment.compile("t.getHours('Test/Two')").evaluate(["t": #require(time)]) == 14)
  }
}

/// The offsets that the C library computes for a zone; its zone is the whole process's, so one at a time.
private enum CLibraryZone {
  private static let lock = Locked(())

  static func with(_ name: String, _ body: ((Int64) -> Int64) throws -> Void) throws {
    try lock.withLock { _ in
      let before = getenv("TZ").map { String(cString: $0) }
      setenv("TZ", name, 1)
      tzset()
      defer {
        if let before { setenv("TZ", before, 1) } else { unsetenv("TZ") }
        tzset()
      }
      try body { seconds in
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        return Int64(parts.tm_gmtoff)
      }
    }
  }
}

@Suite struct BridgingTests {
  @Test func numbersTakeTheDeclaredType() throws {
    #expect(try CELValue(json: 3, as: .int) == .int(3))
    #expect(try CELValue(json: 3, as: .double) == .double(3))
    #expect(try CELValue(json: 3, as: .uint) == .uint(3))
    #expect(try CELValue(json: 3) == .int(3))
    #expect(try CELValue(json: 3.5) == .double(3.5))
    #expect(try CELValue(json: JSON.parse("3.0")) == .int(3))
    #expect(try CELValue(json: JSON.parse("18446744073709551615"), as: .uint) == .uint(.max))
    #expect(try CELValue(json: JSON.parse("9223372036854775808")) == .double(9_223_372_036_854_775_808))
    for (json, type) in [
      ("3.5", CELType.int), ("-1", .uint), ("18446744073709551616", .uint), ("9223372036854775808", .int), ("1", .string),
    ] {
      let error = #expect(throws: CELBridgingError.self) { try CELValue(json: JSON.parse(json), as: type) }
      #expect(error?.message.contains(json) == false)
    }
  }

  @Test func textsTakeTheDeclaredType() throws {
    #expect(try CELValue(json: "90s", as: .duration).json() == "90s")
    #expect(try CELValue(json: "2026-01-31T12:00:00Z", as: .timestamp).json() == "2026-01-31T12:00:00Z")
    #expect(try CELValue(json: "aGVsbG8=", as: .bytes) == .bytes(Array("hello".utf8)))
    #expect(try CELValue(json: "x") == "x")
    #expect(try CELValue(json: .null, as: .string) == .null)
    #expect(try CELValue(json: .null, as: .optional(.int)) == .optional(nil))
    #expect(try CELValue(json: 1, as: .optional(.double)) == .optional(.double(1)))
    for (json, type) in [("90", CELType.duration), ("today", .timestamp), ("a", .bytes), ("x", .int), ("true", .bool)] {
      #expect(throws: CELBridgingError.self) { try CELValue(json: .string(json), as: type) }
    }
  }

  @Test func objectsTakeTheTypesOfTheirFields() throws {
    var environment = CELEnvironment()
    environment.declareObject("item", fields: [("price", .double), ("count", .int), ("tags", .list(.string))])
    environment.declareObject("order", fields: [("items", .list(.object("item"))), ("first", .object("item"))])
    environment.declare("order", .object("order"))
    let json: JSON = ["items": [["price": 10, "count": 2, "tags": ["a"], "more": 1]], "first": ["price": 3]]
    let order = try environment.value(json, as: .object("order"))
    #expect(order == ["items": [["price": 10.0, "count": 2, "tags": ["a"]]], "first": ["price": 3.0]])
    #expect(try environment.compile("order.items.exists(i, i.price >= 10.0)").evaluate(["order": order]) == true)
    #expect(try environment.compile("order.first.price == 3.0 && !has(order.first.count)").evaluate(["order": order]) == true)
    #expect(throws: CELBridgingError.self) { try environment.value(["items": [["count": 1.5]]], as: .object("order")) }
  }

  @Test func valuesRoundTripThroughJSON() throws {
    let json: JSON = ["a": [1, 2.5, "é", true, nil], "b": ["c": [:]], "": -9_223_372_036_854_775_807]
    #expect(try CELValue(json: json).json() == json)
    for value: CELValue in [.double(.nan), .double(.infinity), .type(.int), .optional(nil), .list([.type(.bool)])] {
      #expect(throws: CELBridgingError.self) { try value.json() }
    }
    var map = CELMap()
    map[.int(1)] = true
    #expect(throws: CELBridgingError.self) { try CELValue.map(map).json() }
  }
}

@Suite struct MapTests {
  @Test func numbersOfDifferentTypesAreOneKey() {
    for size in [2, 40] {
      var map = CELMap()
      for number in 0..<Int64(size) { map[.int(number)] = .int(number * 10) }
      #expect(map[.uint(1)] == 10)
      #expect(CELMap.Key(.double(1)).flatMap { map[$0] } == 10)
      #expect(CELMap.Key(.double(1.5)) == nil)
      #expect(map[.int(-1)] == nil)
      map[.uint(1)] = 11
      #expect(map.count == size)
      #expect(map[.int(1)] == 11)
    }
  }

  @Test func textsAreKeysByTheirBytes() {
    for others in [0, 40] {
      var map = CELMap(fields: (0..<others).map { ("key \($0)", .null) })
      map[.string("é")] = 1
      map[.string("e\u{301}")] = 2
      #expect(map.count == others + 2)
      #expect(map[field: "é"] == 1)
      #expect(map[field: "e\u{301}"] == 2)
      #expect(map[.bool(true)] == nil)
    }
  }

  @Test func equalityIgnoresOrder() {
    let (a, b): (CELValue, CELValue) = (["x": 1, "y": [1, 2]], ["y": [1, 2], "x": 1])
    #expect(a == b)
    #expect(a.hashValue == b.hashValue)
    #expect(a != ["x": 1])
    #expect(CELValue.int(1) != .double(1))
    #expect(CELValue.int(1).isEqual(to: .double(1)))
    #expect(CELValue.double(.nan) == .double(.nan))
    #expect(!CELValue.double(.nan).isEqual(to: .double(.nan)))
  }
}
