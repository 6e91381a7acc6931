import Audit
import Core
import Glibc
import Governance

/// The built `remit` beside this program, as a person starts it: wall time and peak memory of the whole process.
///
/// The store has as many runs as `--runs` says (100,000), every second one still open, so that each inbox is as long as it gets.
func benchCommand(_ report: inout BenchReport) async throws {
  let program = try beside("remit")
  let start = try measure(program, ["--help"], times: 20)
  report.command("command/help", work: "remit --help", start)
  if !report.options.wants("command/inbox", "") && !report.options.wants("command/verify", "") { return }

  let bench = try await RunBench(in: report.options.data ?? "/tmp", store: ".remit/store.sqlite")
  var runs = 0
  while runs < report.options.runs {
    let count = min(6400, report.options.runs - runs)
    try await bench.runs(count, inFlight: 64, steps: { $0 % 2 == 0 ? 1 : 2 })
    runs += count
  }
  let entries = try await bench.head()
  await bench.gate.store.close()
  let workspace = ["--workspace", bench.folder]
  for (name, words) in [
    ("command/inbox", ["inbox"]), ("command/list", ["run", "list"]), ("command/doctor", ["doctor"]),
  ] where report.options.wants(name, "") {
    report.command(name, work: "remit \(words.joined(separator: " ")), \(runs) runs", try measure(program, words + workspace, times: 10))
  }
  if report.options.wants("command/verify", "") {
    let verified = try measure(program, ["audit", "verify"] + workspace, times: 1)
    report.command("command/verify", work: "remit audit verify, \(entries) entries", verified)
    report.note("\(Int(Double(entries) / verified.wall)) entries/s of wall time, \(Int(Double(entries) / verified.cpu)) of CPU time")
  }
  try await bench.finish()
}

/// What running a program took.
struct ProcessCost {
  /// Median wall time, in seconds.
  var wall: Double
  /// Median CPU time, in seconds.
  var cpu: Double
  /// The largest resident size of all runs, in megabytes.
  var peak: Double
  var times: Int
}

extension BenchReport {
  fileprivate mutating func command(_ name: String, work: String, _ cost: ProcessCost) {
    if !options.wants(name, work) { return }
    add(
      name, work: work, operations: cost.times, wall: cost.wall * Double(cost.times), cpu: cost.cpu * Double(cost.times),
      extra: ["peak_rss_mb": rounded(cost.peak, 1), "wall_ms": rounded(cost.wall * 1000, 2)])
    note("\(Int((cost.wall * 10_000).rounded()) / 10) ms of wall time, peak \(Int(cost.peak.rounded())) MB")
  }
}

/// The path of another program of this build.
private func beside(_ name: String) throws -> String {
  var buffer = [CChar](repeating: 0, count: 4096)
  let count = readlink("/proc/self/exe", &buffer, buffer.count)
  let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  let path = own.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/" + name
  guard access(path, X_OK) == 0 else {
    throw BenchError("build `\(name)` first: swift build -c release --product \(name) --static-swift-stdlib")
  }
  return path
}

/// Starts a program so many times, one after the other, with its output thrown away.
private func measure(_ program: String, _ arguments: [String], times: Int) throws -> ProcessCost {
  var walls: [Double] = []
  var cpus: [Double] = []
  var peak = 0.0
  for _ in 0..<times {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for output in [STDOUT_FILENO, STDERR_FILENO] { posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0) }
    let words: [UnsafeMutablePointer<CChar>?] =
      ([program] + arguments).map { $0.withCString { strdup($0) } as UnsafeMutablePointer<CChar>? } + [nil]
    defer { for word in words { word.map { free($0) } } }
    var child = pid_t()
    let began = wallSeconds()
    guard posix_spawn(&child, program, &actions, nil, words, environ) == 0 else { throw BenchError("cannot start `\(program)`") }
    var status: Int32 = 0
    var usage = rusage()
    while wait4(child, &status, 0, &usage) < 0, errno == EINTR { continue }
    walls.append(wallSeconds() - began)
    guard status == 0 else { throw BenchError("`remit \(arguments.joined(separator: " "))` failed with \(status >> 8)") }
    cpus.append(seconds(usage.ru_utime) + seconds(usage.ru_stime))
    peak = max(peak, Double(usage.ru_maxrss) / 1024)
  }
  return ProcessCost(wall: walls.sorted()[times / 2], cpu: cpus.sorted()[times / 2], peak: peak, times: times)
}

private func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
