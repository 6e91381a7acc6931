import Core
import LLM
import TestSupport
import Testing

@Suite("tool names") struct ToolNamesTests {
  static let rows: [(remit: String, wire: String)] = [
    ("complete_step", "complete_step"), ("erp.activate_vendor", "erp__activate_vendor"), ("a.b.c", "a__b__c"), ("a-b", "a-b"),
    ("a..b", "a____b"),
    (".", "__"), (String(repeating: "x", count: 64), String(repeating: "x", count: 64)),
  ]

  @Test("readable names", arguments: rows)
  func readable(row: (remit: String, wire: String)) throws {
    let names = try ToolNames([row.remit])
    #expect(names.wire(row.remit) == row.wire)
    #expect(names.remit(row.wire) == row.remit)
  }

  @Test("names that would meet get names of their own")
  func collisions() throws {
    let names = ["a.b", "a__b", "a_.b", "a._b", "a___b", "a____b", "a..b", "a_b", "a-b", "a._.b"]
    let map = try ToolNames(names)
    #expect(Set(names.map { map.wire($0) }).count == names.count)
    for name in names { #expect(map.remit(map.wire(name)) == name) }
  }

  @Test("the map goes both ways, for any offered set")
  func bothWays() throws {
    try withSeeds(200) { seed, random in
      let alphabet = Array("ab_.-")
      var names: Set<String> = []
      for _ in 0..<40 {
        let length = Bool.random(using: &random) ? Int.random(in: 1...6, using: &random) : Int.random(in: 60...128, using: &random)
        names.insert(String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }))
      }
      let sorted = names.sorted()
      let map = try ToolNames(sorted)
      for name in sorted {
        let wire = map.wire(name)
        #expect((1...64).contains(wire.utf8.count), "SEED=\(seed) \(name)")
        #expect(wire.utf8.allSatisfy { $0 != UInt8(ascii: ".") }, "SEED=\(seed) \(name)")
        #expect(map.remit(wire) == name, "SEED=\(seed) \(name)")
        let alone = try ToolNames([name])
        #expect(alone.wire(name) == wire, "SEED=\(seed): independent of the other names")
      }
    }
  }

  @Test(
    "names outside the alphabet are refused",
    arguments: ["", "a b", "a/b", "s\u{435}nd", "a\0", "caf\u{E9}", String(repeating: "x", count: 129)])
  func refused(name: String) {
    #expect(throws: ModelError.self) { try ToolNames([name]) }
    #expect(throws: ModelError.self) { try ToolNames(["a", "a"]) }
  }
}
