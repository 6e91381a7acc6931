import Core
import Foundation
import TestSupport
import Testing

@testable import App

/// `remit approve` as a person uses it: the built program on a terminal of its own.
@Suite(.serialized) struct ApprovalOnTerminalTests {
  /// A workspace with one held activation of a vendor of that name.
  private struct Desk {
    let session: Session
    let proposal: String

    init(_ folder: String, vendor: String = "Sable Furniture SRL") throws {
      let session = try Session(folder)
      self.session = session
      func run(_ words: [String]) throws -> JSON {
        let result = try session.run(["remit"] + words + ["--json"])
        return try result.json()
      }
      _ = try run(["process", "release", "vendor-onboarding"])
      let fields: JSON = [
        "vendor": .string(vendor), "country": "IT", "category": "goods", "purchase": "Desks", "amount": 24000, "personal_data": false,
      ]
      try fields.text().write(toFile: "\(folder)/fields.json", atomically: true, encoding: .utf8)
      let started = try run(["run", "start", "vendor-onboarding", "--fields", "fields.json"])
      let id = try #require(started["id"]?.stringValue, "\(started.text())")
      let collected = try run([
        "step", "complete", id, "collect", "-f", "registration=HRB1234", "-f", "contact=a@b.example", "-f",
        "iban=IT60X0542811101000000123456",
        "-e", "contract=contract.pdf",
      ])
      #expect(collected["verdict"] == "permit", "\(collected.text())")
      _ = try run(["agent", "work"])
      let held = try #require(try run(["inbox"])["held"]?.arrayValue?.first)
      proposal = try #require(held["id"]?.stringValue)
    }

    /// What is shown about it, as JSON.
    func card() throws -> JSON { try session.run(["remit", "approval", "show", proposal, "--json"]).json() }
  }

  /// The program on a terminal, with what it shows.
  private final class Sitting {
    let terminal: PseudoTerminal
    let process = Process()
    let screen = Locked<[UInt8]>([])

    init(_ session: Session, _ words: [String], typedAhead: String = "") throws {
      terminal = try PseudoTerminal()
      terminal.type(typedAhead)
      process.executableURL = URL(fileURLWithPath: Session.program)
      process.arguments = words
      process.currentDirectoryURL = URL(fileURLWithPath: session.workspace)
      process.environment = ["PATH": "/usr/bin:/bin", "COLUMNS": "80", "LINES": "24", "NO_COLOR": "1"]
      let handle = FileHandle(fileDescriptor: terminal.terminal, closeOnDealloc: false)
      process.standardInput = handle
      process.standardOutput = handle
      process.standardError = handle
      let (controller, screen) = (terminal.controller, screen)
      Thread {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
          let count = read(controller, &chunk, chunk.count)
          if count <= 0 { return }
          screen.withLock { $0 += chunk[..<count] }
        }
      }.start()
      try process.run()
    }

    var text: String { String(decoding: screen.withLock { $0 }, as: UTF8.self) }

    /// Waits until the screen shows a text once more than it did.
    func wait(for text: String, times: Int = 1) async throws {
      for _ in 0..<2000 {
        if self.text.components(separatedBy: text).count > times { return try await Task.sleep(for: .milliseconds(60)) }
        if !process.isRunning { break }
        try await Task.sleep(for: .milliseconds(10))
      }
      Issue.record("`\(text)` was not shown; the screen has:\n\(visible(self.text, multiline: true))")
    }

    /// Goes on to the end of the card.
    func pageToTheEnd() async throws {
      for page in 1...60 {
        for _ in 0..<2000
        where process.isRunning && text.components(separatedBy: "space or Enter goes on").count <= page
          && !text.contains("Type the code above")
        {
          try await Task.sleep(for: .milliseconds(10))
        }
        if text.contains("Type the code above") || !process.isRunning { break }
        try await Task.sleep(for: .milliseconds(40))
        terminal.type(" ")
      }
      try await wait(for: "Type the code above")
    }

    func end() async throws -> Int32 {
      for _ in 0..<2000 where process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
      if process.isRunning { process.terminate() }
      return process.terminationStatus
    }
  }

  @Test("T24 what was typed or pasted before the question approves nothing")
  func typedAheadIsNoApproval() async throws {
    try await withTemporaryDirectory { folder in
      let desk = try Desk(folder)
      let code = try #require(try desk.card()["code"]?.stringValue)
      let sitting = try Sitting(desk.session, ["approve", desk.proposal], typedAhead: "    \(code)\n\n\(code)\ny\n\(code)\n")
      try await sitting.wait(for: "space or Enter goes on")
      sitting.terminal.type("\(code)\n")  // pasted into the pager: its line feed turns a page, the rest is dropped
      try await sitting.pageToTheEnd()
      #expect(sitting.process.isRunning, "the question waits for an answer")
      sitting.terminal.type("\n")
      #expect(try await sitting.end() == ExitCode.pending.rawValue)
      #expect(try desk.card()["status"] == "pending")
    }
  }

  @Test("T23 nobody can approve what they did not see to its end")
  func leavingTheCardIsNoApproval() async throws {
    try await withTemporaryDirectory { folder in
      let desk = try Desk(folder)
      let sitting = try Sitting(desk.session, ["approve", desk.proposal])
      try await sitting.wait(for: "space or Enter goes on")
      #expect(!sitting.text.contains("  code "), "the code stands at the end of the card")
      sitting.terminal.type("q")
      #expect(try await sitting.end() == ExitCode.pending.rawValue)
      #expect(try desk.card()["status"] == "pending")
    }
  }

  @Test("T23 hostile text in an argument is complete and harmless on a terminal")
  func hostileTextOnATerminal() async throws {
    let vendor = "Evil\u{1B}[2J\u{1B}[H\u{202E}DtL\u{200B}\u{7}\ttab\rCR \u{1B}]52;c;cm0=\u{7} Ltd"
    try await withTemporaryDirectory { folder in
      let desk = try Desk(folder, vendor: vendor)
      let sitting = try Sitting(desk.session, ["approval", "show", desk.proposal])
      #expect(try await sitting.end() == 0)
      try await Task.sleep(for: .milliseconds(100))
      let text = sitting.text.replacingOccurrences(of: "\r\n", with: "\n")  // the terminal's own line ends
      #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\n" })
      #expect(!text.unicodeScalars.contains { (0x202A...0x202E).contains($0.value) || $0.value == 0x200B })
      // Pieces of a long value stand behind gutters; joined they are the whole value.
      let joined = text.components(separatedBy: "\n").map { $0.hasPrefix("    ┊ ") ? String($0.dropFirst(6)) : "\n" + $0 }.joined()
      #expect(joined.contains("\"\(visible(vendor))\""), "\(text)")
    }
  }

  @Test func theRequesterIsToldThatTheyCannotApprove() async throws {
    try await withTemporaryDirectory { folder in
      let desk = try Desk(folder)
      let code = try #require(try desk.card()["code"]?.stringValue)
      let sitting = try Sitting(desk.session, ["approve", desk.proposal])
      try await sitting.pageToTheEnd()
      sitting.terminal.type("\(code)\n")
      #expect(try await sitting.end() == ExitCode.identity.rawValue)
      #expect(sitting.text.contains("asked for this run and can never approve it"))
      #expect(try desk.card()["status"] == "pending")
    }
  }

  @Test func theCodeApprovesWhatOthersAskedFor() async throws {
    try await withTemporaryDirectory { folder in
      let session = try Session(folder)
      #expect(try session.run(["remit", "demo", "--json"]).exit == 0)
      var words = ["--workspace", "\(folder)/demo"]
      let held = try #require(try session.run(["remit", "inbox", "--json"] + words).json()["held"]?.arrayValue)
      #expect(held.count == 1)
      let (id, code) = (try #require(held[0]["id"]?.stringValue), try #require(held[0]["code"]?.stringValue))
      words = ["approve", id] + words
      let wrong = try Sitting(session, words)
      try await wrong.pageToTheEnd()
      wrong.terminal.type("yes\n")
      #expect(try await wrong.end() == ExitCode.pending.rawValue)
      let right = try Sitting(session, words)
      try await right.pageToTheEnd()
      right.terminal.type("\(code.uppercased())\n")
      #expect(try await right.end() == 0, "\(right.text)")
      #expect(right.text.contains("approved  \(id)"))
    }
  }
}
