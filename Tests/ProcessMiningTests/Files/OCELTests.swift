import Core
import ProcessMining
import TestSupport
import Testing

@Suite struct OCELTests {
  private static let text = """
    {"objectTypes": [{"name": "order", "attributes": [{"name": "price", "type": "float"}, {"name": "paid", "type": "boolean"}]},
                     {"name": "item", "attributes": []}, {"name": "clerk"}],
     "eventTypes": [{"name": "Place", "attributes": [{"name": "n", "type": "integer"}, {"name": "at", "type": "time"}]}, {"name": "Pack"}],
     "objects": [
      {"id": "o1", "type": "order", "relationships": [{"objectId": "i1", "qualifier": "has"}],
       "attributes": [{"name": "price", "time": "1970-01-01T00:00:00Z", "value": 9.5},
                      {"name": "price", "time": "2026-01-02T00:00:00+01:00", "value": "8"},
                      {"name": "paid", "time": "1970-01-01T00:00:00Z", "value": false}]},
      {"id": "i1", "type": "item"}, {"id": "i2", "type": "item"}, {"id": "c", "type": "clerk"}],
     "events": [
      {"id": "e2", "type": "Pack", "time": "2026-01-02T00:00:00Z", "attributes": [],
       "relationships": [{"objectId": "i2", "qualifier": ""}, {"objectId": "i1", "qualifier": ""}, {"objectId": "i1", "qualifier": "again"}]},
      {"id": "e1", "type": "Place", "time": "2026-01-01T00:00:00.250Z",
       "attributes": [{"name": "n", "value": 2}, {"name": "at", "value": "2026-01-01T00:00:00Z"}],
       "relationships": [{"objectId": "o1", "qualifier": "order"}, {"objectId": "i1", "qualifier": "item"}, {"objectId": "c", "qualifier": "by"}]}]}
    """

  @Test func aLogIsReadAndWrittenTheSame() throws {
    let log = try OCELReader.read(Array(Self.text.utf8))
    #expect(log.objects.map(\.id) == ["o1", "i1", "i2", "c"])
    #expect(log.objects[0].attributes.map(\.attribute.value) == [.number(9.5), .number(8), .flag(false)])
    #expect(log.objects[0].attributes.map(\.time) == [0, 1_767_308_400_000, 0])
    #expect(log.events[1].attributes == [LogAttribute("n", .integer(2)), LogAttribute("at", .moment(1_767_225_600_000))])
    let again = try OCELReader.read(try Self.bytes(log))
    #expect(again == log)
    #expect(try OCELReader.read(try Self.bytes(ObjectLog())) == ObjectLog())
  }

  @Test func eachTypeOfObjectsIsAViewOfItsOwn() throws {
    let log = try OCELReader.read(Array(Self.text.utf8))
    let items = try log.flattened(by: "item", resource: "by")
    #expect(items.caseNames == ["i1", "i2"])
    #expect(items.caseOffsets == [0, 2, 3])
    #expect(items.activities.map { items.activityNames[Int($0)] } == ["Place", "Pack", "Pack"])
    #expect(items.resources == [0, EventLog.noResource, EventLog.noResource])
    #expect(items.resourceNames == ["c"])
    #expect(try log.flattened(by: "order").eventCount == 1)
  }

  struct Refused: Sendable, CustomStringConvertible {
    var description: String
    /// What is replaced in the sound file, and by what.
    var old: String
    var new: String
    var error: String
  }

  private static let refused = [
    Refused(
      description: "event to nowhere", old: #""objectId": "i2""#, new: #""objectId": "i9""#, error: "12:35: there is no object `i9`"),
    Refused(
      description: "object to nowhere", old: #"[{"objectId": "i1", "qualifier": "has"}]"#,
      new: #"[{"objectId": "I1", "qualifier": "has"}]"#,
      error: "5:64: there is no object `I1`"),
    Refused(description: "one object twice", old: #"{"id": "i2""#, new: #"{"id": "i1""#, error: "9:40: another object has the id `i1`"),
    Refused(description: "one event twice", old: #"{"id": "e1""#, new: #"{"id": "e2""#, error: "13:10: another event has the id `e2`"),
    Refused(
      description: "unknown object type", old: #""type": "clerk""#, new: #""type": "clark""#,
      error: "9:83: the type `clark` is not declared"),
    Refused(
      description: "unknown event type", old: #""type": "Pack""#, new: #""type": "pack""#, error: "11:24: the type `pack` is not declared"),
    Refused(
      description: "unknown value type", old: #""type": "float""#, new: #""type": "decimal""#, error: "1:77: `decimal` is no type of values"
    ),
    Refused(
      description: "unknown attribute", old: #"{"name": "n", "value""#, new: #"{"name": "m", "value""#,
      error: "14:28: `m` is not declared for this type"),
    Refused(description: "no integer", old: #""value": 2"#, new: #""value": 2.5"#, error: "14:42: this is no value of the type integer"),
    Refused(description: "no value", old: #""n", "value": 2"#, new: #""n""#, error: "14:19: `value` is missing"),
    Refused(
      description: "no zone", old: #""2026-01-02T00:00:00Z""#, new: #""2026-01-02T00:00:00""#, error: "11:40: a time without a zone"),
    Refused(description: "no day", old: #""2026-01-02T00:00:00Z""#, new: #""2026-13-02T00:00:00Z""#, error: "11:40: this is no time"),
    Refused(description: "no events", old: #""events""#, new: #""event""#, error: "1:1: `events` is missing"),
    Refused(description: "declared twice", old: #"{"name": "clerk"}"#, new: #"{"name": "item"}"#, error: "2:63: `item` is declared twice"),
    Refused(description: "an id that is no text", old: #""id": "i2""#, new: #""id": 7"#, error: "9:40: `id` is no text"),
    Refused(description: "truncated", old: #""by"}]}]}"#, new: #""by"}]"#, error: "15:"),
  ]

  @Test(arguments: refused) func whatIsWrongIsRefusedWithItsPlace(_ test: Refused) throws {
    let place = try #require(Self.text.range(of: test.old))
    let text = Self.text.replacingCharacters(in: place, with: test.new)
    let error = try #require(throws: Diagnostic.self) { try OCELReader.read(Array(text.utf8)) }
    #expect(error.description.hasPrefix(test.error), "\(error)")
  }

  @Test func damagedFilesAreReadOrRefused() {
    let sound = Array(Self.text.utf8)
    withSeeds(150) { seed, random in
      var bytes = sound
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert("{}[],:\"0".utf8.randomElement(using: &random) ?? 0, at: place)
        }
      }
      do { _ = try OCELReader.read(bytes) } catch { #expect(error is Diagnostic, "SEED=\(seed)") }
    }
  }

  @Test func whatOCELCannotHoldIsRefused() throws {
    let values: [LogAttribute.Value] = [.number(.nan), .list([]), .moment(253_402_300_800_000)]
    for value in values {
      let log = ObjectLog(events: [ObjectLog.Event("e", "t", at: 0, attributes: [LogAttribute("a", value)])])
      #expect(throws: Diagnostic.self) { try Self.bytes(log) }
    }
  }

  static func bytes(_ log: ObjectLog) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try withoutActuallyEscaping({ (piece: [UInt8]) in bytes += piece }) { try OCELWriter.write(log, to: $0) }
    return bytes
  }
}

extension String {
  fileprivate func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }

  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
