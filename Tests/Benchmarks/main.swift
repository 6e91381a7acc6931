internal import Glibc

/// What can be measured.
///
/// An area is one file; it takes its place here.
let areas: [(name: String, summary: String, run: (inout BenchReport) async throws -> Void)] = [
  ("gate", "decisions of the rules, from parsed values, with 10, 100 and 1,000 rules", benchGate),
  ("audit", "durable appends, one at a time and 256 callers at once, and verification", benchAudit),
  ("audit-growth", "what an append costs as the log grows to a million entries", benchAuditGrowth),
  ("run", "whole runs through the gate, one at a time and 64 in flight", benchRun),
  ("process", "deciding, encoding and folding the events of runs", benchProcess),
  ("mining", "directly-follows graph and variants of 100,000 cases, from columns in memory", benchMining),
  ("command", "the built `remit` as a process: help, and an inbox, a list and a verification over 100,000 runs", benchCommand),
  ("model", "whole model calls against a stub on loopback, one and 256 in flight", benchModel),
]

do {
  // The server of the area `model`, in a process of its own.
  if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "model-stub" {
    try ModelStub.serve(portFile: CommandLine.arguments[2])
    exit(0)
  }
  let options = try BenchOptions(Array(CommandLine.arguments.dropFirst()))
  if options.areas.isEmpty {
    print(BenchOptions.usage + "\n\nareas:")
    for area in areas { print("  \(area.name)  \(area.summary)") }
    exit(2)
  }
  var report = BenchReport(options)
  report.note(machine())
  for name in options.areas {
    guard let area = areas.first(where: { $0.name == name }) else {
      throw BenchError("unknown area `\(name)`; there are: \(areas.map(\.name).joined(separator: ", "))")
    }
    report.runPeers()
    try await area.run(&report)
    report.runPeers()
  }
} catch {
  complain("bench: \(error)")
  exit(1)
}
