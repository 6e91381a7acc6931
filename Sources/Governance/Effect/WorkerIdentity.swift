internal import Core
internal import Glibc

/// Names the process that carries out an effect, so that another one can tell whether it is still there.
public enum WorkerIdentity {
  /// This process: `pid:start:boot`, which no later process of any boot has again.
  public static let current: String = identity(of: getpid()) ?? "\(getpid())::"

  /// Whether the process that a worker names still runs on this machine.
  public static func isAlive(_ worker: String) -> Bool {
    guard let pid = worker.split(separator: ":").first.flatMap({ Int32($0) }) else { return false }
    return identity(of: pid) == worker
  }

  private static func identity(of pid: Int32) -> String? {
    guard let stat = try? procFile("/proc/\(pid)/stat"), let boot = try? procFile("/proc/sys/kernel/random/boot_id") else { return nil }
    // The name of the program stands in brackets and may hold anything; the start time is the 20th field after it.
    guard let close = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: close)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z" else { return nil }
    return "\(pid):\(fields[19]):\(boot.prefix(8))"
  }

  private static func procFile(_ path: String) throws -> String {
    String(decoding: try RegularFile.read(path, maximumBytes: 65_536), as: UTF8.self)
  }
}
