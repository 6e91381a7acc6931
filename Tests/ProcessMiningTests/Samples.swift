import Core
import ProcessMining

/// Logs that tests share.
enum Samples {
  /// One case a trace, one activity a letter, a minute between events.
  static func log(traces: [String]) throws -> EventLog {
    var builder = EventLogBuilder()
    for (number, trace) in traces.enumerated() {
      for (step, letter) in trace.enumerated() {
        try builder.add(case: "c\(number)", activity: String(letter), at: Int64(number * 1_000_000 + step * 60_000))
      }
    }
    return builder.finish()
  }

  /// Events in any order: random cases over the first letters of the alphabet, distinct times.
  static func events(_ random: inout SeededGenerator, cases: Int, letters: Int) -> [(name: String, activity: String, time: Int64)] {
    var time: Int64 = 0
    var events: [(String, String, Int64)] = []
    for number in 0..<cases {
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        time += Int64.random(in: 1...100_000, using: &random)
        events.append(("case-\(number)", "activity-\(Int.random(in: 0..<letters, using: &random))", time))
      }
    }
    return events.shuffled(using: &random)
  }

  static func log(events: [(name: String, activity: String, time: Int64)]) throws -> EventLog {
    var builder = EventLogBuilder()
    for event in events { try builder.add(case: event.name, activity: event.activity, at: event.time) }
    return builder.finish()
  }

  /// A process that runs straight through.
  static func linear() throws -> EventLog {
    var builder = EventLogBuilder()
    let steps = ["Receive request", "Collect documents", "Classify risk", "Activate vendor in the ERP", "Send welcome letter"]
    for number in 0..<200 {
      for (index, step) in steps.enumerated() where !(index == 1 && number % 7 == 0) {
        let time = Int64(number) * 3_600_000 + Int64(index) * Int64(1 + number % 5) * 1_800_000
        try builder.add(case: "run-\(number)", activity: step, at: time, resource: index % 2 == 0 ? "user:ana" : "agent:risk-analyst")
      }
    }
    return builder.finish()
  }

  /// A process with rework, a loop to itself and an early end.
  static func loops(seed: UInt64 = 3) throws -> EventLog {
    var random = SeededGenerator(seed: seed)
    var builder = EventLogBuilder()
    for number in 0..<300 {
      var time = Int64(number) * 7_200_000
      func add(_ activity: String) throws {
        time += Int64.random(in: 60_000...9_000_000, using: &random)
        try builder.add(case: "run-\(number)", activity: activity, at: time)
      }
      try add("Submit")
      if Int.random(in: 0..<20, using: &random) == 0 { continue }
      for _ in 0..<4 {
        try add("Check form")
        if Int.random(in: 0..<3, using: &random) == 0 { try add("Check form") }
        guard Int.random(in: 0..<3, using: &random) == 0 else { break }
        try add("Ask for changes")
        try add("Revise")
        if Int.random(in: 0..<4, using: &random) == 0 { try add("Submit") }
      }
      if Int.random(in: 0..<6, using: &random) == 0 {
        try add("Reject")
        continue
      }
      try add("Approve")
      if Int.random(in: 0..<5, using: &random) == 0 { try add("Revise") } else { try add("Pay") }
    }
    return builder.finish()
  }

  /// Twenty-five activities in stages with choices, skips and some rework.
  static func wide(seed: UInt64 = 5) throws -> EventLog {
    var random = SeededGenerator(seed: seed)
    let stages: [[String]] = [
      ["Register claim"], ["Scan documents", "Receive e-mail", "Phone intake"], ["Check policy", "Check coverage"],
      ["Triage", "Automatic triage by the agent with the low-risk allowance"],
      ["Request expert report", "Ask garage", "Ask hospital", "Ask witness"], ["Receive report", "Send reminder"],
      ["Assess damage", "Assess injury", "Fraud check"], ["Legal review", "Actuary review"], ["Decide", "Decide with second reviewer"],
      ["Notify customer", "Notify broker"], ["Pay", "Decline"], ["Archive"],
    ]
    var builder = EventLogBuilder()
    for number in 0..<1200 {
      var time = Int64(number) * 3_600_000
      var stage = 0
      var steps = 0
      while stage < stages.count, steps < 40 {
        steps += 1
        let pick = stages[stage]
        let weighted = min(Int.random(in: 0..<pick.count, using: &random), Int.random(in: 0..<pick.count, using: &random))
        time += Int64.random(in: 10_000...90_000_000, using: &random)
        try builder.add(case: "claim-\(number)", activity: pick[weighted], at: time, resource: "user:u\(stage % 4)")
        let roll = Int.random(in: 0..<100, using: &random)
        if roll < 6, stage > 3 { stage -= 2 } else if roll < 14, stage > 1, stage < 9 { stage += 2 } else { stage += 1 }
      }
    }
    return builder.finish()
  }
}
