import Core
import Testing

@testable import LocalSocket

@Suite struct FrameTests {
  @Test func framesComeWholeHoweverTheBytesCome() throws {
    let text = Array("{\"a\":1}\n{\"b\":\"\u{e4}\"}\n{\"c\":".utf8)
    for size in 1...text.count {
      var reader = FrameReader()
      var frames: [JSON] = []
      for start in stride(from: 0, to: text.count, by: size) {
        reader.append(text[start..<min(start + size, text.count)])
        while let frame = try reader.next() { frames.append(frame) }
      }
      #expect(frames == [["a": 1], ["b": "\u{e4}"]], "in pieces of \(size)")
    }
  }

  @Test(arguments: ["\n", "1\n", "[]\n", "{\"a\":1,\"a\":2}\n", "{}{}\n", "\u{0}\n", "GET / HTTP/1.1\r\n", "{'a':1}\n"])
  func whatIsNoFrameIsRefused(_ text: String) {
    var reader = FrameReader()
    reader.append(Array(text.utf8)[...])
    #expect(throws: SocketError.self) { _ = try reader.next() }
  }

  @Test func aFrameIsBoundedBeforeItsEndHasCome() {
    var reader = FrameReader()
    reader.append([UInt8](repeating: 0x20, count: 101)[...])
    let error = #expect(throws: SocketError.self) { _ = try reader.next(limit: 100) }
    #expect(error?.code == .tooLarge)
  }
}
