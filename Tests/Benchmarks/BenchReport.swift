internal import Core
internal import Glibc

/// Takes measurements and prints them, as text or as the JSON lines that the scripts of the peers print.
struct BenchReport {
  let options: BenchOptions
  private(set) var rows: [JSONObject] = []

  init(_ options: BenchOptions) { self.options = options }

  /// Runs a body over and over until the CPU budget is used, and reports it.
  ///
  /// - Parameters:
  ///   - name: The area and the thing that is measured: `gate/decide`.
  ///   - work: What one operation is, and on which input.
  ///   - operations: How many operations one call of the body is.
  ///   - extra: Further members of the row.
  ///   - body: What is measured.
  /// - Returns: Operations for each second of CPU; 0 where the row was not asked for.
  @discardableResult
  mutating func measure(
    _ name: String, work: String, operations: Int, extra: JSONObject = JSONObject(), body: () throws -> Void
  ) rethrows -> Double {
    if !options.wants(name, work) { return 0 }
    try body()  // warm
    resetPeak()
    let (cpu, wall) = (cpuSeconds(), wallSeconds())
    var done = 0
    repeat {
      try body()
      done += operations
    } while cpuSeconds() - cpu < options.seconds
    return add(name, work: work, operations: done, wall: wallSeconds() - wall, cpu: cpuSeconds() - cpu, extra: extra)
  }

  /// Reports something that was measured elsewhere.
  ///
  /// - Returns: Operations for each second of CPU.
  @discardableResult
  mutating func add(_ name: String, work: String, operations: Int, wall: Double, cpu: Double, extra: JSONObject = JSONObject()) -> Double {
    var row: JSONObject = [
      "name": .string(name), "work": .string(work), "ops": .int(operations), "wall_s": rounded(wall, 6), "cpu_s": rounded(cpu, 6),
      "peak_rss_mb": peakMegabytes().map { rounded($0, 1) } ?? .null, "version": .string(Self.version),
    ]
    let rate = cpu > 0 ? Double(operations) / cpu : 0
    row["ops_per_cpu_s"] = rounded(rate, 3)
    row["ops_per_wall_s"] = rounded(wall > 0 ? Double(operations) / wall : 0, 3)
    for (key, value) in extra { row[key] = value }
    emit(row)
    return rate
  }

  /// Says something about the figures; with `--json` as a row of its own.
  mutating func note(_ text: String) {
    if options.isJSON { print(JSON.object(["note": .string(text)]).text()) } else { print("  \(text)") }
    fflush(nil)
  }

  /// Runs the commands of peers and relays their rows.
  mutating func runPeers() {
    for command in options.peers {
      guard let pipe = popen(command, "r") else {
        note("cannot run the peer `\(visible(command))`")
        continue
      }
      var text: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { text.append(contentsOf: buffer[..<count]) }
      let status = pclose(pipe)
      if status != 0 { note("the peer `\(visible(command))` ended with status \(status)") }
      for line in text.split(separator: 0x0A) {
        guard let row = try? JSON.parse(Array(line)), let object = row.objectValue, object["ops"] != nil else { continue }
        emit(object)
      }
    }
  }

  private mutating func emit(_ row: JSONObject) {
    rows.append(row)
    if options.isJSON {
      print(JSON.object(row).text())
    } else {
      let rate = row["ops_per_cpu_s"]?.numberValue?.double ?? 0
      let name = row["name"]?.stringValue ?? ""
      let work = row["work"]?.stringValue ?? ""
      let memory = row["peak_rss_mb"]?.numberValue.map { ", peak \($0) MB" } ?? ""
      print("\(padded(name, 34)) \(padded(grouped(rate), 14, left: true)) /CPU-s  \(nanoseconds(rate))  \(work)\(memory)")
    }
    fflush(nil)
  }

  static var version: String {
    #if DEBUG
      "debug build: figures mean nothing"
    #else
      "release"
    #endif
  }
}

/// Prints a line on standard error.
func complain(_ text: String) {
  let bytes = Array((text + "\n").utf8)
  _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// The CPU time of this process, user and system, all threads, in seconds.
func cpuSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Time that only goes forward, in seconds.
func wallSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The largest resident size since the last reset, in megabytes; nil where the kernel does not say.
func peakMegabytes() -> Double? {
  procField("/proc/self/status", "VmHWM").flatMap { Double($0.split(separator: " ")[0]) }.map { $0 / 1024 }
}

/// Asks the kernel to start the largest resident size again from the present one.
private func resetPeak() {
  guard let file = fopen("/proc/self/clear_refs", "w") else { return }
  fputs("5", file)
  fclose(file)
}

/// The value of the first line of a file in `/proc` that begins with a name and a colon.
func procField(_ path: String, _ name: String) -> String? {
  guard let file = fopen(path, "r") else { return nil }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 4096)
  while fgets(&line, Int32(line.count), file) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let colon = text.firstIndex(of: ":"), text[..<colon].trimmed == name else { continue }
    return String(text[text.index(after: colon)...].trimmed)
  }
  return nil
}

/// The machine in one line: cores, processor, kernel.
func machine() -> String {
  var names = utsname()
  uname(&names)
  let release = withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  return
    "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores, \(procField("/proc/cpuinfo", "model name") ?? "unknown processor"), Linux \(release)"
}

func rounded(_ value: Double, _ places: Int) -> JSON {
  let scale = pow(10, Double(places))
  return JSONNumber((value * scale).rounded() / scale).map { .number($0) } ?? .null
}

private func nanoseconds(_ rate: Double) -> String {
  if rate <= 0 { return "" }
  let each = 1e9 / rate
  return each < 10_000
    ? "\(Int(each.rounded())) ns" : each < 10_000_000 ? "\(Int((each / 1000).rounded())) µs" : "\(Int((each / 1e6).rounded())) ms"
}

private func grouped(_ value: Double) -> String {
  var digits = Array(String(Int64(value.rounded())))
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: place)
    place -= 3
  }
  return String(digits)
}

private func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
  let space = String(repeating: " ", count: max(0, width - text.count))
  return left ? space + text : text + space
}

extension Substring {
  fileprivate var trimmed: Substring {
    var part = self
    while part.first?.isWhitespace ?? false { part.removeFirst() }
    while part.last?.isWhitespace ?? false { part.removeLast() }
    return part
  }
}
