import Core
import TestSupport
import Testing

@testable import App

@Suite("Narrow screens") struct NarrowTests {
  private static let note: Shown = "a note that is far longer than the forty columns of the screen that shows it"

  @Test("words on a screen are broken between words, and nothing of them is lost", arguments: [true, false])
  func words(isScreen: Bool) {
    let words = Locked<[UInt8]>([])
    let console = Console(
      terminal: Terminal(width: 40, wordsAreTerminal: isScreen), wantsJSON: false, output: .memory(Locked([])), words: .memory(words))
    _ = console.write(CommandResult(json: nil, notes: [Self.note]))
    _ = console.write(CommandError.usage(Self.note.plain, hint: Self.note.plain))
    let lines = String(decoding: words.withLock { $0 }, as: UTF8.self).split(separator: "\n")
    #expect(lines.allSatisfy { !isScreen || displayWidth(String($0)) <= 40 }, "\(lines)")
    #expect(lines.joined(separator: " ") == "\(Self.note.plain) remit: \(Self.note.plain) hint: \(Self.note.plain)")
    #expect((lines.count == 3) != isScreen)
  }

  @Test("what was mined fits the screen", arguments: [20, 40, 80])
  func mining(width: Int) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      _ = try await shop.vendor(Shop.large)
      _ = await shop.run("agent", "work")
      for command in ["map", "variants", "bottlenecks"] {
        let shown = await transcript(
          ["mine", command], commands: .remit, environment: ["REMIT_WORKSPACE": folder], terminal: Terminal(width: width))
        let lines = shown.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.allSatisfy { displayWidth($0) <= width }, "\(shown.output)")
        #expect(shown.output.filter { !$0.isWhitespace }.contains("collect"))
      }
    }
  }
}
