import Core
import Glibc
import TestSupport
import Testing

@testable import Evals

@Suite struct JSONLinesTests {
  @Test func aLineThatIsTooLongOrNoJSONIsSkippedAlone() throws {
    try withTemporaryDirectory { folder in
      let long = "\"" + String(repeating: "a", count: 700_000) + "\""
      try RegularFile.writeAtomically(Array("1\n\(long)\n2\n{\n\n\(long)\n3".utf8), to: "\(folder)/lines")
      let descriptor = open("\(folder)/lines", O_RDONLY)
      defer { close(descriptor) }
      let lines = JSONLines(descriptor: descriptor, name: "input", maximumBytes: 1000)
      var seen: [String] = []
      while true {
        do throws(Diagnostic) {
          guard let value = try lines.next() else { break }
          seen.append("\(lines.line): \(value.text())")
        } catch {
          seen.append("\(lines.line): \(error.code)")
        }
      }
      #expect(seen == ["1: 1", "2: line-too-long", "3: 2", "4: json-syntax", "6: line-too-long", "7: 3"], "\(seen)")
    }
  }
}
