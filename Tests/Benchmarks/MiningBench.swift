internal import Core
internal import ProcessMining

/// Discovery over 100,000 synthetic cases of some ten events each, from columns in memory; and the columns from files.
func benchMining(_ report: inout BenchReport) throws {
  let log = try miningLog(cases: 100_000)
  let work = "\(log.caseCount) cases, \(log.eventCount) events"
  report.measure("mining/dfg", work: work, operations: log.eventCount) { keepAlive(DirectlyFollowsGraph(log, durations: false)) }
  report.measure("mining/dfg-durations", work: work, operations: log.eventCount) { keepAlive(DirectlyFollowsGraph(log)) }
  report.measure("mining/variants", work: work, operations: log.eventCount) { keepAlive(Variants(log)) }
  let smaller = AttributedLog(try miningLog(cases: 10_000))
  let events = smaller.log.eventCount
  let (xes, csv) = (try XESWriter.bytes(smaller), try bytes { try CSVLogWriter.write(smaller, to: $0) })
  try report.measure("mining/xes-read", work: "\(events) events, \(xes.count) bytes", operations: events) {
    keepAlive(try XESReader.read(ByteSource(xes)))
  }
  try report.measure("mining/xes-write", work: "\(events) events", operations: events) { keepAlive(try XESWriter.bytes(smaller)) }
  try report.measure("mining/csv-read", work: "\(events) events, \(csv.count) bytes", operations: events) {
    keepAlive(try CSVLogReader.read(ByteSource(csv)))
  }
  try report.measure("mining/build-log", work: work, operations: 106_000) { keepAlive(try miningLog(cases: 10_000)) }
}

/// A log of 24 activities: a main way with skips and rework, so that there are many variants.
private func miningLog(cases: Int) throws -> EventLog {
  var random = SeededGenerator(seed: 1)
  var builder = EventLogBuilder()
  let names = (0..<24).map { "activity \($0)" }
  for number in 0..<cases {
    var time = Int64(number) * 60_000
    var place = 0
    let name = "case-\(number)"
    while place < 12 {
      let roll = random.next()
      time += Int64(roll % 3_600_000)
      try builder.add(case: name, activity: names[place * 2 + (roll >> 32 & 15 == 0 ? 1 : 0)], at: time)
      switch roll >> 40 & 31 {
      case 0 where place > 1: place -= 1
      case 1, 2, 3, 4: place += 2
      default: place += 1
      }
    }
  }
  return builder.finish()
}

/// What a writer writes, in one piece.
private func bytes(_ write: (@escaping ([UInt8]) throws -> Void) throws -> Void) throws -> [UInt8] {
  var bytes: [UInt8] = []
  try withoutActuallyEscaping({ (piece: [UInt8]) in bytes += piece }, do: write)
  return bytes
}

@inline(never)
private func keepAlive<Value>(_ value: Value) {}
