import Core
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import Governance

/// Approvals that have to be signed.
///
/// Whether a signature is good is asked of somebody else here; `ssh-keygen` itself is asked in the tests of the commands.
@Suite("Signed approvals")
struct SignedApprovalTests {
  static let rules = Workbench.rules.replacing(
    #"approval: { roles: ["finance"], within: "P1D" }"#, with: #"approval: { roles: ["finance"], signed: true }"#)

  static func key(_ seed: UInt8) -> PublicKey {
    let type = Array("ssh-ed25519".utf8)
    let blob = [0, 0, 0, UInt8(type.count)] + type + [0, 0, 0, 32] + [UInt8](repeating: seed, count: 32)
    guard let key = PublicKey(line: "ssh-ed25519 \(Base64.encode(blob)) somebody") else { preconditionFailure("a key") }
    return key
  }

  /// Gives Ben one key and Cleo another.
  private func withKeys(_ bench: Workbench, ben: [PublicKey] = [key(1)]) async throws {
    try await bench.setPeople { directory in
      directory.people.map { person in
        let keys = person.id == "ben" ? ben : person.id == "cleo" ? [Self.key(2)] : []
        return Directory.Person(
          id: person.id, name: person.name, roles: person.roles, accounts: person.accounts, manager: person.manager, keys: keys)
      }
    }
  }

  private func held(_ bench: Workbench) async throws -> GateOutcome {
    let payment = try await bench.proposePayment(try await bench.assessed(amount: 500))
    #expect(payment.verdict == .hold)
    return payment
  }

  private func signed(_ bench: Workbench, _ id: String, by person: String, with key: PublicKey) async throws -> SignedStatement {
    let statement = try await bench.gate.statement(of: id, by: Workbench.person(person))
    return try await SignedStatement(statement, signature: [1, 2, 3], keys: [key]) { _, _, _, _ in true }
  }

  struct Attempt: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Whose statement is signed, and with which key; nil for no signature.
    var signer: String?
    var key: UInt8 = 1
    var isOfAnotherProposal = false
    var code: String?
  }

  static let attempts = [
    Attempt(testDescription: "signed with an own key", signer: "ben"), Attempt(testDescription: "not signed", code: "signature-required"),
    Attempt(testDescription: "signed with a key that is not in the directory", signer: "ben", key: 9, code: "signature-invalid"),
    Attempt(testDescription: "signed with the key of somebody else", signer: "ben", key: 2, code: "signature-invalid"),
    Attempt(testDescription: "the statement of somebody else", signer: "cleo", key: 2, code: "signature-invalid"),
    Attempt(testDescription: "the statement of another proposal", signer: "ben", isOfAnotherProposal: true, code: "signature-invalid"),
  ]

  @Test("T07 an approval counts only with the person's own signature over exactly this approval", arguments: attempts)
  func anApprovalThatHasToBeSigned(_ attempt: Attempt) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Self.rules)
      try await withKeys(bench)
      let payment = try await held(bench)
      let subject = attempt.isOfAnotherProposal ? try await held(bench) : payment
      var signature: SignedStatement?
      if let signer = attempt.signer { signature = try await signed(bench, subject.proposal, by: signer, with: Self.key(attempt.key)) }
      do {
        let outcome = try await bench.gate.decide(
          payment.proposal, .approve, by: Workbench.person("ben"), digest: payment.digest, signed: signature)
        #expect(attempt.code == nil)
        guard case .approved = outcome.standing else {
          Issue.record("\(outcome.standing)")
          return
        }
        #expect(try await bench.state(try #require(payment.run)).proposal(payment.proposal)?.votes.first?.key == Self.key(1).fingerprint)
      } catch let refusal as Refusal {
        #expect(refusal.code == attempt.code)
        #expect(try await bench.status(payment.proposal, in: try #require(payment.run)) == .held)
      }
    }
  }

  @Test("an edit is no signed approval: its author still signs, or another does")
  func anEditIsNotSigned() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Self.rules)
      try await withKeys(bench)
      let payment = try await held(bench)
      let edited = try await bench.gate.decide(
        payment.proposal, .edit(arguments: ["to": "Acme", "amount": 400], reason: nil), by: Workbench.person("ben"),
        digest: payment.digest)
      guard case .superseded(let next) = edited.standing else { Issue.record("\(edited.standing)"); return }
      let run = try #require(payment.run)
      #expect(try #require(try await bench.state(run).proposal(next.proposal)).votes.isEmpty)
      let signature = try await signed(bench, next.proposal, by: "ben", with: Self.key(1))
      let outcome = try await bench.gate.decide(
        next.proposal, .approve, by: Workbench.person("ben"), digest: next.digest, signed: signature)
      guard case .approved = outcome.standing else { Issue.record("\(outcome.standing)"); return }
      try await bench.expectVerified()
    }
  }

  @Test("a key that is taken away takes its approval with it before the effect begins")
  func aKeyThatIsTakenAway() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Self.rules)
      try await withKeys(bench)
      let payment = try await held(bench)
      let signature = try await signed(bench, payment.proposal, by: "ben", with: Self.key(1))
      _ = try await bench.gate.decide(payment.proposal, .approve, by: Workbench.person("ben"), digest: payment.digest, signed: signature)
      try await withKeys(bench, ben: [Self.key(3)])
      let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(payment.proposal, in: payment.run ?? "") }
      #expect(refusal?.code == "changed")
      #expect(bench.connector.receipts == [])
    }
  }

  @Test("a signature that no key of the person made is none")
  func aSignatureThatIsNotGood() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Self.rules)
      try await withKeys(bench)
      let payment = try await held(bench)
      let statement = try await bench.gate.statement(of: payment.proposal, by: Workbench.person("ben"))
      let refusal = await #expect(throws: Refusal.self) {
        try await SignedStatement(statement, signature: [1], keys: [Self.key(1), Self.key(2)]) { _, _, _, _ in false }
      }
      #expect(refusal?.code == "signature-invalid")
      #expect(statement.text.utf8.allSatisfy { $0 < 0x7F })
      #expect(statement.text.hasPrefix("remit approval statement v1\nlog log-"))
      #expect(statement.text.contains("\nproposal \(payment.proposal)\ndigest \(payment.digest.hex)\ndecision approve\nby user:ben\n"))
    }
  }

  @Test(arguments: [
    ("ssh-ed25519", false), ("ssh-ed25519 AAAA", false), ("ssh-dss \(key(1).blob)", false), ("ssh-rsa \(key(1).blob)", false),
    ("ssh-ed25519 not!base64", false), ("\(key(1).line) a comment", true), ("ssh-ed25519\t\(key(1).blob)", true),
  ])
  func aLineIsAKeyOrNot(_ line: String, _ isKey: Bool) { #expect((PublicKey(line: line) != nil) == isKey) }

  @Test func keysInTheOrganisationFile() throws {
    func problems(_ ben: String, _ cleo: String) -> [String] {
      let text = #"{ roles: { a: "A" }, people: { ben: { roles: ["a"], keys: [\#(ben)] }, cleo: { roles: ["a"], keys: [\#(cleo)] } } }"#
      do {
        let directory = try Directory.load(try PositionedJSON.parseJSON5(Array(text.utf8)))
        #expect(Directory(json: directory.json) == directory)
        return []
      } catch let error as Diagnostics {
        return error.all.map(\.code)
      } catch {
        return ["\(error)"]
      }
    }
    let (one, two) = ("\"\(Self.key(1).line)\"", "\"\(Self.key(2).line)\"")
    #expect(problems(one, two) == [])
    #expect(problems(one, one) == ["key-taken"])
    #expect(problems("'ssh-ed25519 zzz'", two) == ["bad-key"])
  }
}
