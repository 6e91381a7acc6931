import Core
import TestSupport
import Testing

@Suite("CSV") struct CSVReaderTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var text: String
    /// The rows, or `line:column: message`.
    var rows: [String]
    var testDescription: String { text.debugDescription }
  }

  static let cases: [Case] = [
    Case(text: "", rows: []), Case(text: "a,b\n1,2\n", rows: ["1 a|b", "2 1|2"]), Case(text: "a,b\r\n1,2", rows: ["1 a|b", "2 1|2"]),
    Case(text: "\u{FEFF}a\n", rows: ["1 a"]), Case(text: "a,,\n,\n\nx\n", rows: ["1 a||", "2 |", "3 ", "4 x"]),
    Case(text: "\"a\"\"b\",\"c,d\",\"e\nf\"\ng\n", rows: ["1 a\"b|c,d|e\nf", "3 g"]), Case(text: "a\rb,c\n", rows: ["1 a\rb|c"]),
    Case(text: "a,b\"c\nx,y\n", rows: ["1:4: a quote inside a cell that does not begin with one", "2 x|y"]),
    Case(text: "\"a\"b,c\nx\n", rows: ["1:4: something follows a closing quote", "2 x"]),
    Case(text: "x\na,\"b\nc\n", rows: ["1 x", "2:3: this quote is never closed"]),
    Case(text: "a\u{0}\nb\n", rows: ["1:1: a cell holds a NUL character", "2 b"]),
  ]

  @Test(arguments: cases) func rowsAreReadOrSaidToBeWrong(_ test: Case) {
    let rows = CSVReader(Array(test.text.utf8)).map { row in
      switch row {
      case .success(let row): "\(row.line) \(row.cells.joined(separator: "|"))"
      case .failure(let failure): failure.description
      }
    }
    #expect(rows == test.rows)
  }

  @Test func bytesThatAreNoTextAreARowOfTheirOwn() {
    let rows = Array(CSVReader([0x61, 0xFF, 0x0A, 0x62, 0x0A]))
    #expect(rows.count == 2 && (try? rows[1].get().cells) == ["b"])
    #expect(throws: CSVReader.Failure.self) { try rows[0].get() }
  }

  @Test func whatIsWrittenIsReadBack() throws {
    try withSeeds(300) { (seed, random: inout SeededGenerator) throws in
      let alphabet = ["a", ",", "\"", "\n", "\r", "é", " ", ""]
      let table = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        (0..<Int.random(in: 2...4, using: &random)).map { _ in
          (0..<Int.random(in: 0...5, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "" }.joined()
        }
      }
      let text = table.map { $0.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ",") + "\n" }.joined()
      let read = try CSVReader(Array(text.utf8)).map { try $0.get().cells }
      #expect(read == table, "seed \(seed)")
    }
  }
}
