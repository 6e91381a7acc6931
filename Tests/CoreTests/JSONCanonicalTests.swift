import Core
import TestSupport
import Testing

@Suite("Canonical JSON (RFC 8785)")
struct JSONCanonicalTests {
  @Test("the published vectors", .enabled(if: Conformance.isPresent))
  func vectors() throws {
    let names = try Conformance.entries("vectors/jcs/testdata/input")
    for name in names {
      let value = try JSON.parse(try Conformance.bytes("vectors/jcs/testdata/input/\(name)"))
      let expected = try Conformance.bytes("vectors/jcs/testdata/output/\(name)")
      #expect(value.canonicalBytesRounding() == expected, "\(name)")
    }
    #expect(names.count == 6)
  }

  /// The sequence of doubles that RFC 8785's reference generates, as far as it needs no constants: rounds of SHA-256.
  @Test func printsNumbersAsECMAScriptDoes() {
    let cases: [(UInt64, String)] = [
      (0x4340_0000_0000_0001, "9007199254740994"), (0x4340_0000_0000_0002, "9007199254740996"), (0x444b_1ae4_d6e2_ef50, "1e+21"),
      (0x3eb0_c6f7_a0b5_ed8d, "0.000001"), (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"), (0x8000_0000_0000_0000, "0"), (0, "0"),
      (1, "5e-324"), (0x8000_0000_0000_0001, "-5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
      (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"), (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
      (0x43d0_0000_0000_0000, "4611686018427388000"),
      (0x41b3_de43_5555_5553, "333333333.3333332"), (0xbecb_f647_612f_3696, "-0.0000033333333333333333"), (0x3ff0_0000_0000_0000, "1"),
    ]
    for (bits, text) in cases {
      let number = JSONNumber(Double(bitPattern: bits))
      #expect(number.map { String(decoding: JSON.number($0).canonicalBytesRounding(), as: UTF8.self) } == text)
    }
  }

  @Test func everyDoubleReadsBackFromItsCanonicalText() throws {
    try withSeeds(200) { seed, random in
      for _ in 0..<100 {
        let value = Double(bitPattern: random.next())
        guard let number = JSONNumber(value) else { continue }
        let text = String(decoding: try JSON.number(number).canonicalBytes(), as: UTF8.self)
        #expect(Double(text) == value, "SEED=\(seed)")
        #expect(number.double == value, "SEED=\(seed)")
        let parsed = try JSON.parse(text)
        #expect(parsed == .number(number), "SEED=\(seed)")
      }
    }
  }

  @Test(
    "T21 a number that a double cannot carry is refused, not rounded",
    arguments: ["9007199254740993", "-9007199254740993", "0.1000000000000000000001", "123456789012345678901234567890", "1e-400"])
  func notRepresentable(_ text: String) throws {
    let value = try JSON.parse(text)
    #expect(throws: NotRepresentable.self) { try value.canonicalBytes() }
  }

  @Test(arguments: ["9007199254740992", "9007199254740994", "1e20", "0.1", "10.10", "-0", "1e-7"])
  func representable(_ text: String) throws {
    #expect((try? JSON.parse(text).canonicalBytes()) != nil)
  }
}

@Suite("Exact numbers")
struct JSONNumberTests {
  @Test("exponents of any size are read or refused, never a trap", arguments: ["", "-", "+"])
  func hugeExponents(_ sign: String) throws {
    for power in [
      "9223372036854775807", "9223372036854775808", "18446744073709551616", "1099511627776", String(repeating: "9", count: 400),
    ] {
      for text in ["1e\(sign)\(power)", "0.1E\(sign)\(power)", "-120e\(sign)\(power)"] {
        #expect(JSONNumber(decimal: text) == nil)
        #expect(throws: JSONError.self) { try JSON.parse(Array("[\(text)]".utf8)) }
      }
    }
  }

  static let equal = [("1", "1.0"), ("100", "1e2"), ("-0", "0"), ("0.10", "0.1"), ("12345678901234567890", "1234567890123456789e1")]

  @Test(arguments: equal)
  func writtenDifferentlyIsTheSameNumber(_ a: String, _ b: String) throws {
    let (x, y) = (try #require(JSONNumber(decimal: a)), try #require(JSONNumber(decimal: b)))
    #expect(x == y)
    #expect(x.hashValue == y.hashValue)
    #expect(!(x < y) && !(y < x))
  }

  static let ordered = [
    "-1e300", "-9223372036854775809", "-9223372036854775808", "-1.5", "-1", "-0.1", "0", "1e-400", "0.1", "0.10000000000000001", "1",
    "9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808", "1e19", "1e300",
  ]

  @Test func orderIsExact() throws {
    let numbers = try Self.ordered.map { try #require(JSONNumber(decimal: $0)) }
    for i in numbers.indices {
      for j in numbers.indices { #expect((numbers[i] < numbers[j]) == (i < j), "\(Self.ordered[i]) < \(Self.ordered[j])") }
    }
  }

  static let multiples: [(String, String, Bool)] = [
    ("10", "2", true), ("10", "3", false), ("0.3", "0.1", true), ("0.35", "0.1", false), ("1e308", "0.5", true),
    ("1e308", "0.123456789", false),
    ("0", "7", true), ("7", "0", false), ("-9", "3", true), ("12345678901234567890123", "3", true),
    ("121932631112635269", "123456789.0", true),
    ("1219326311370217952237463801111263526900", "12345678901234567890", true), ("9223372036854775807", "-1", true),
    ("1219326311370217952237463801111263526901", "12345678901234567890", false),
  ]

  @Test(arguments: multiples)
  func knowsMultiples(_ a: String, _ b: String, _ expected: Bool) throws {
    let (x, y) = (try #require(JSONNumber(decimal: a)), try #require(JSONNumber(decimal: b)))
    #expect(x.isMultiple(of: y) == expected)
  }

  @Test func textKeepsTheExactValue() throws {
    for text in ["0.000001", "1e-7", "123.456", "100", "1e300", "-0.5", "12345678901234567890.5"] {
      let number = try #require(JSONNumber(decimal: text))
      #expect(JSONNumber(decimal: number.text) == number)
    }
  }
}
