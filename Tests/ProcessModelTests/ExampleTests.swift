import Core
import Glibc
import ProcessModel
import TestSupport
import Testing

/// The folder of the package.
let packageRoot = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

@Suite("Examples")
struct ExampleTests {
  static let roles = [
    "requester": 3, "procurement": 2, "procurement-lead": 1, "compliance": 2, "finance": 2, "manager": 2, "security": 2, "security-lead": 1,
    "iam-admin": 1,
  ]
  static let request: JSONObject = [
    "vendor": "Nordwind Logistik GmbH", "country": "DE", "category": "services", "purchase": "Parcels in northern Germany",
    "amount": 12_000,
    "personal_data": false,
  ]

  static func file(_ path: String) throws -> [UInt8] { try RegularFile.read("\(packageRoot)/\(path)", maximumBytes: 1 << 20) }

  private static func context(_ name: String) throws -> ProcessContext {
    let policy = DocumentClauses(markdown: String(decoding: try file("Policies/\(name)/policy.md"), as: UTF8.self))
    return ProcessContext(
      roles: roles, prompts: ["classify-risk", "check-entitlement"], models: ["default"], documents: ["policy.md": policy.ids])
  }

  static func loadExample(_ name: String) throws -> (process: ProcessDefinition, warnings: [Diagnostic]) {
    try ProcessDefinition.load(
      file("Policies/\(name)/process.json5"), file: "Policies/\(name)/process.json5", context: try context(name))
  }

  @Test(arguments: ["vendor-onboarding", "access-request", "invoice-routing", "monthly-close"])
  func loadsWithoutAWarning(_ name: String) throws {
    let (process, warnings) = try Self.loadExample(name)
    #expect(warnings.map(\.description) == [])
    #expect(process.id == name)
  }

  /// Where the keys stand whose misspelling is one mistake: all but names that the process itself gives.
  private static func keys(in value: PositionedJSON, _ isNames: Bool = false) -> [PositionedJSON.Member] {
    let named = ["fields", "agents", "tools", "facts", "arguments", "properties", "headers", "hours", "set"]
    return (value.objectValue ?? []).flatMap { member in
      (isNames ? [] : [member])
        + (["properties", "items"].contains(member.key) ? [] : keys(in: member.value, !isNames && named.contains(member.key)))
    } + (value.arrayValue ?? []).flatMap { keys(in: $0) }
  }

  @Test(
    "a misspelt key is one problem, with the key that was meant",
    arguments: ["vendor-onboarding", "access-request", "invoice-routing", "monthly-close"])
  func misspeltKeys(_ name: String) throws {
    let bytes = try Self.file("Policies/\(name)/process.json5")
    for member in Self.keys(in: try PositionedJSON.parseJSON5(bytes, file: nil)) where member.key.utf8.count > 2 {
      var changed = bytes
      let start = member.keyPosition.offset + (bytes[member.keyPosition.offset] == UInt8(ascii: "\"") ? 1 : 0)
      changed.swapAt(start + 1, start + 2)
      if changed == bytes { continue }
      let error = #expect(throws: Diagnostics.self) {
        _ = try ProcessDefinition.load(changed, file: "p.json5", context: try Self.context(name))
      }
      let found = error?.all.filter { $0.severity == .error }.map(\.description) ?? []
      #expect(
        found.count == 1 && found.first?.contains("did you mean `\(member.key)`?") == true,
        "\(member.key) at \(member.keyPosition): \(found)")
    }
  }

  static func attach(_ run: inout TestRun) throws {
    try run.send(
      .attachEvidence(
        step: "collect", by: "user:rita", name: "contract", digest: SHA256.hash("contract"), media: "application/pdf", size: 8))
    try run.complete(
      "collect", by: "user:rita", ["registration": "HRB 1234", "contact": "ap@nordwind.example", "iban": "DE02120300000000202051"])
  }

  @Test func aLowRiskVendorNeedsNoReview() throws {
    var run = try TestRun(Self.loadExample("vendor-onboarding").process, fields: Self.request)
    #expect(run.refusal(.completeStep("collect", by: "user:rita", fields: ["iban": "not one"], origin: nil, comment: nil)) == .fieldInvalid)
    try Self.attach(&run)
    try run.send(
      .learn(step: "classify", tool: "crm.lookup", facts: ["vendor_status": "known"], origin: Origin("tool:crm.lookup", trusted: false)))
    try run.complete("classify", by: "agent:risk-analyst", ["risk": "low", "risk_reason": "Known, no disputes, small spend."])
    #expect(run.open == ["activate"])
    let state = try #require(run.state)
    #expect(
      try run.process.arguments(ofToolStep: Occurrence("activate"), in: state, now: start) == [
        "vendor": "Nordwind Logistik GmbH", "country": "DE", "iban": "DE02120300000000202051", "risk": "low",
      ])
    try run.send(
      .finishToolStep(
        "activate", by: "system:tools", result: .succeeded(facts: ["vendor_number": "V-10001"], origin: Origin("tool:erp.activate_vendor")))
    )
    #expect(run.status == .completed)
    try run.checkLog()
  }

  @Test func aDeclinedVendorIsNeverActivated() throws {
    var run = try TestRun(Self.loadExample("vendor-onboarding").process, fields: Self.request)
    try Self.attach(&run)
    try run.complete("classify", by: "agent:risk-analyst", ["risk": "high", "risk_reason": "Named by a sanctions list."])
    #expect(run.open == ["review"])
    try run.complete("review", ["review_outcome": "declined"])
    #expect(run.open == ["decline"])
    try run.complete("decline")
    #expect(run.status == .completed)
    #expect(run.state?.step(Occurrence("activate")) == nil)
    try run.checkLog()
  }

  @Test func aFailedActivationIsSettledByAPerson() throws {
    var run = try TestRun(Self.loadExample("vendor-onboarding").process, fields: Self.request)
    try Self.attach(&run)
    try run.complete("classify", by: "agent:risk-analyst", ["risk": "low", "risk_reason": "Known, no disputes, small spend."])
    try run.send(.finishToolStep("activate", by: "system:tools", result: .failed(code: "tool-failed", text: "the ERP is busy")))
    #expect(run.open == ["settle"])
    try run.complete("settle", ["settlement": "Activated by hand as V-10007."])
    #expect(run.status == .completed)
    try run.checkLog()
  }

  @Test func aManagerMayAskThreeTimes() throws {
    var run = try TestRun(
      Self.loadExample("access-request").process,
      fields: ["person": "dora", "system": "crm", "level": "write", "reason": "Takes over the northern region", "until": "2026-12-31"])
    try run.send(.raiseException(step: "check", by: "agent:access-analyst", code: "directory-down", text: "no answer"))
    #expect(run.state?.step(Occurrence("check"))?.attempt == 2)
    try run.complete("check", by: "agent:access-analyst", ["entitlement": "standard", "entitlement_note": "The job comes with it."])
    try run.complete("decide", ["decision": "ask", "decision_note": "Since when?"])
    #expect(run.open == ["clarify"])
    try run.complete("clarify", by: "user:rita", ["clarification": "Since October."])
    #expect(run.open == ["decide#2"])
    #expect(run.refusal(.completeStep("decide", by: "user:max", fields: [:], origin: nil, comment: nil)) == .fieldMissing)
    try run.complete("decide", ["decision": "agree"])
    #expect(run.open == ["grant"])
    try run.send(
      .finishToolStep(
        "grant", by: "system:tools", result: .succeeded(facts: ["grant_id": "G-20001"], origin: Origin("tool:iam.grant_access"))))
    #expect(run.status == .completed)
    try run.checkLog()
  }

  // MARK: - The programs that stand in for other systems

  /// Runs one of the programs with JSON on its standard input; nothing is passed to a shell but paths of this package and the test's own.
  static func call(_ program: String, _ input: JSON, state: String = "", key: String = "") throws -> (
    output: String, status: Int32
  ) {
    try withTemporaryDirectory { directory in
      try RegularFile.writeAtomically(input.canonicalBytes(), to: "\(directory)/input")
      let command =
        "REMIT_TOOL_STATE='\(state)' REMIT_IDEMPOTENCY_KEY='\(key)' '\(packageRoot)/Policies/\(program)' <'\(directory)/input' 2>&1"
      guard let pipe = popen(command, "r") else { return ("", -1) }
      var bytes: [UInt8] = []
      while case let byte = fgetc(pipe), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
      return (String(decoding: bytes, as: UTF8.self), pclose(pipe) >> 8)
    }
  }

  // MARK: - The month

  @Test func aMonthIsClosedCompanyByCompany() throws {
    let process = try Self.loadExample("monthly-close").process
    var run = try TestRun(process, trigger: process.triggers[0].name)
    try run.complete("plan", by: "user:ben", ["month": "2026-10", "companies": ["DE01", "FR01"]])
    #expect(run.open == ["reconcile#101", "reconcile#102", "estimate"])
    for (n, company) in [(102, "FR01"), (101, "DE01")] {
      let digest = SHA256.hash("open")
      try run.send(
        .attachEvidence(step: "reconcile#\(n)", by: "user:lena", name: "open-items", digest: digest, media: "text/csv", size: 4))
      try run.complete("reconcile#\(n)", by: "user:lena")
      let state = try #require(run.state)
      let arguments = try process.arguments(ofToolStep: Occurrence("lock", n), in: state, now: run.now)
      #expect(arguments == ["company": .string(company), "month": "2026-10"])
      try run.send(
        .finishToolStep("lock#\(n)", by: "system:engine", result: .succeeded(facts: [:], origin: Origin("tool:ledger.lock_books"))))
    }
    #expect(run.open == ["estimate"])
    try run.complete("estimate", by: "user:ben", ["provisions": 1200])
    var small = run
    try small.complete("compare", by: "user:ben", ["difference": 800])
    #expect(small.state?.value(of: "handling") == "write-off" && small.open == ["report"])
    try run.complete("compare", by: "user:ben", ["difference": 1000.01])
    #expect(run.open == ["explain"])
    try run.complete("explain", by: "user:ben", ["explanation": "Two deliveries were booked twice."])
    try run.complete("report", by: "user:kira")
    #expect(run.status == .completed)
    try run.checkLog()
  }

  @Test func booksThatAreLockedStayLocked() throws {
    try withTemporaryDirectory { directory in
      for month in ["2026-10", "2026-10", "2026-11"] {
        let (output, status) = try Self.call(
          "monthly-close/tools/ledger-lock", ["company": "DE01", "month": .string(month)], state: directory)
        #expect(status == 0 && output == "{}\n")
      }
      let locked = try RegularFile.read("\(directory)/ledger-locked.tsv", maximumBytes: 10_000)
      #expect(String(decoding: locked, as: UTF8.self) == "DE01\t2026-10\nDE01\t2026-11\n")
      #expect(try Self.call("monthly-close/tools/ledger-lock", ["company": "DE01"], state: directory).status == 2)
    }
  }

  // MARK: - Invoices

  static func invoice(_ amount: Int, _ kind: String, _ hasOrder: Bool, _ country: String = "DE", _ newAccount: Bool = false) -> JSONObject {
    [
      "supplier": "Acme GmbH", "invoice": "R-17", "amount": .int(amount), "kind": .string(kind), "has_order": .bool(hasOrder),
      "country": .string(country), "new_account": .bool(newAccount), "cost_centre": "it",
    ]
  }

  @Test(
    arguments: [
      (invoice(4200, "series", false), "series", [], ["book"]), (invoice(999, "goods", true), "small-ordered", [], ["book"]),
      (invoice(999, "goods", false), "small-unordered", [], ["check"]), (invoice(1000, "goods", true), "middling", [], ["check"]),
      (invoice(10_000, "services", true, "FR", true), "large", ["other-account", "abroad", "delivery"], ["check"]),
      (invoice(5000, "series", true), "series", ["delivery"], ["check"]),
    ] as [(JSONObject, String, [String], [String])])
  func anInvoiceGoesWhereTheTableSays(fields: JSONObject, rule: String, care: [String], open: [String]) throws {
    let run = try TestRun(Self.loadExample("invoice-routing").process, fields: fields)
    #expect(run.state?.block(Occurrence("route-invoice"))?.rules == [rule])
    #expect(run.state?.block(Occurrence("care"))?.rules == care)
    #expect(run.open == open)
    try run.checkLog()
  }

  @Test func aLargeInvoiceIsCheckedAndAgreedToBeforeItIsBooked() throws {
    var run = try TestRun(Self.loadExample("invoice-routing").process, fields: Self.invoice(24_000, "goods", true))
    try run.complete("check", by: "user:lena", ["verdict": "right"])
    #expect(run.open == ["agree"])
    var refused = run
    try refused.complete("agree", by: "user:kira", ["decision": "refuse"])
    #expect(refused.status == .completed)
    try run.complete("agree", by: "user:kira", ["decision": "agree"])
    #expect(run.open == ["book"])
    try run.send(.finishToolStep("book", by: "system:engine", result: .failed(code: "down", text: "the ledger is down")))
    #expect(run.open == ["book-by-hand"])
    try run.complete("book-by-hand", by: "user:ben", ["booking_reference": "B-77"])
    #expect(run.status == .completed)
    try run.checkLog()
  }

  @Test func whatIsDisputedIsNotBooked() throws {
    var run = try TestRun(Self.loadExample("invoice-routing").process, fields: Self.invoice(2000, "goods", true))
    try run.complete("check", by: "user:lena", ["verdict": "disputed"])
    #expect(run.open == ["dispute"])
    try run.send(.completeStep("dispute", by: "user:lena", fields: [:], origin: nil, comment: "Half of it is missing."))
    #expect(run.status == .completed)
    #expect(run.state?.step(Occurrence("book")) == nil)
  }

  @Test func theProgramsAnswerWithFacts() throws {
    let vendors = try Self.loadExample("vendor-onboarding").process
    for (name, status) in [
      ("Acme GmbH", "known"), ("ACME gmbh", "known"), ("Sunline Imports Inc", "blocked"), ("Nobody", "unknown"),
      ("x\",\"vendor\":\"Acme GmbH", "unknown"), ("$(touch /tmp/x)`id`'\\", "unknown"), ("Müller & Söhne", "unknown"), ("\n", "unknown"),
    ] {
      let (output, exit) = try Self.call("vendor-onboarding/tools/crm-lookup", ["vendor": .string(name)])
      let (facts, problems) = vendors.facts(from: try JSON.parse(output), tool: "crm.lookup")
      #expect(exit == 0 && problems == [], "\(name): \(output)")
      #expect(facts["vendor_status"] == .string(status), "\(name): \(output)")
    }
    let people = try Self.loadExample("access-request").process
    for (person, isEntitled) in [("dora", true), ("ines", false), ("nobody", false)] {
      let (output, _) = try Self.call("access-request/tools/iam-lookup", ["person": .string(person), "system": "crm", "level": "write"])
      #expect(people.facts(from: try JSON.parse(output), tool: "iam.lookup").facts["entitled"] == .bool(isEntitled))
    }
    #expect(try Self.call("vendor-onboarding/tools/crm-lookup", [:]).status == 2)
    #expect(try Self.call("access-request/tools/iam-lookup", ["person": "dora"]).status == 2)
  }

  /// A call that is repeated with its key changes nothing more.
  @Test func theProgramsKeepTheirPromiseOfIdempotency() throws {
    let invoice: JSON = ["supplier": "Acme GmbH", "invoice": "R-1", "amount": 12.5, "cost_centre": "it"]
    let grant: JSON = ["person": "dora", "system": "crm", "level": "read", "until": "2026-12-31"]
    let vendor: JSON = ["vendor": "Acme GmbH", "country": "DE", "iban": "DE02120300000000202051", "risk": "low"]
    for (program, file, arguments, numbers) in [
      ("vendor-onboarding/tools/erp-activate-vendor", "erp-receipts.tsv", vendor, ["V-10001", "V-10002", "V-10001", "V-10003"]),
      ("access-request/tools/iam-grant-access", "iam-receipts.tsv", grant, ["G-20001", "G-20002", "G-20001", "G-20003"]),
      ("invoice-routing/tools/ledger-book", "ledger-receipts.tsv", invoice, ["B-30001", "B-30002", "B-30001", "B-30003"]),
    ] {
      try withTemporaryDirectory { directory in
        var answers: [String] = []
        for key in ["k1", "k2", "k1", ""] {
          let (output, _) = try Self.call(program, arguments, state: directory, key: key)
          answers.append(try JSON.parse(output).objectValue?.first?.value.stringValue ?? "")
        }
        #expect(answers == numbers)
        let receipts = try RegularFile.read("\(directory)/\(file)", maximumBytes: 10_000)
        #expect(receipts.split(separator: 10).count == 3)
        #expect(try Self.call(program, arguments, state: directory, key: "a\tb").status == 2)
        #expect(try Self.call(program, [:], state: directory, key: "k9").status == 2)
      }
    }
  }
}
