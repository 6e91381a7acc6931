import Core
import Glibc

/// A process that holds a lock on a store.
public struct LockHolder: Hashable, Sendable, CustomStringConvertible {
  /// Its process id.
  public let process: Int32
  /// Its command line with control characters made visible, empty when it cannot be read.
  public let command: String

  /// Such as `remit agent work (process 4711)`.
  public var description: String {
    if process == getpid() { return "another connection of this process (\(process))" }
    return command.isEmpty ? "process \(process)" : "`\(command)` (process \(process))"
  }

  /// Finds who may not let others write to the SQLite database at `path`.
  ///
  /// Reads `/proc/locks` and compares inodes, because opening and closing the lock file here would drop this process's own locks on it.
  /// - Returns: `nil` where the kernel does not tell, such as across containers.
  public static func ofWriteLock(onDatabase path: String) -> LockHolder? {
    guard let table = readSmallFile("/proc/locks") else { return nil }
    let database = inode(path)
    let shared = inode(path + "-shm")
    for line in table.split(separator: "\n") {
      // 1: POSIX  ADVISORY  WRITE 4711 fe:00:1234567 120 120
      let words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
      guard words.count >= 8, words[1] == "POSIX" || words[1] == "OFDLCK", words[3] == "WRITE", let process = Int32(words[4]), process > 0,
        let file = words[5].split(separator: ":").last.flatMap({ UInt64($0) }), let first = UInt64(words[6])
      else { continue }
      let last = words[7] == "EOF" ? UInt64.max : UInt64(words[7]) ?? first
      let holdsWriter = file == shared && first <= walWriteLock && walWriteLock <= last
      let holdsFile = file == database && last >= pendingByte
      if holdsWriter || holdsFile { return LockHolder(process: process, command: commandLine(process)) }
    }
    return nil
  }

  /// The byte of the `-shm` file that SQLite's one writer locks (`UNIX_SHM_BASE`, in `os_unix.c`).
  private static let walWriteLock: UInt64 = 120
  /// The first of the bytes of the database file that SQLite locks outside of WAL mode.
  private static let pendingByte: UInt64 = 0x4000_0000

  private static func inode(_ path: String) -> UInt64? {
    var status = stat()
    return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
  }

  private static func commandLine(_ process: Int32) -> String {
    guard var bytes = readSmallFile("/proc/\(process)/cmdline").map({ Array($0.utf8) }) else { return "" }
    while bytes.last == 0 { bytes.removeLast() }
    let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    guard let program = words.first?.split(separator: "/").last else { return "" }
    let text = ([String(program)] + words.dropFirst()).joined(separator: " ")
    return visible(text.count > 120 ? String(text.prefix(120)) + "…" : text)
  }

  private static func readSmallFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while bytes.count < 4 << 20 {
      let count = read(descriptor, &chunk, chunk.count)
      if count <= 0 { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
