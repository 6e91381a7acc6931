import Glibc

/// Kills every process that has an entry in its environment: those that a program started and that left its process group.
///
/// Looks again until none is found, since one may just have started another; gives up after some tries rather than keep its caller.
///
/// - Complexity: O(processes of the machine), a few milliseconds.
func killStrays(with entry: String) {
  let entry = Array(entry.utf8)
  for _ in 0..<50 {
    let strays = processes().filter { environment(of: $0).split(separator: 0).contains { $0.elementsEqual(entry) } }
    if strays.isEmpty { return }
    for process in strays { kill(process, SIGKILL) }
    usleep(1000)
  }
}

/// The ids of all other processes.
private func processes() -> [pid_t] {
  guard let folder = opendir("/proc") else { return [] }
  defer { closedir(folder) }
  var found: [pid_t] = []
  while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if let process = pid_t(name), process != getpid() { found.append(process) }
  }
  return found
}

/// The environment with which a process was started; empty where it has ended, or is somebody else's.
private func environment(of process: pid_t) -> [UInt8] {
  let file = open("/proc/\(process)/environ", O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return [] }
  defer { close(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 16 << 10)
  while bytes.count < 4 << 20 {
    let count = read(file, &chunk, chunk.count)
    if count < 0, errno == EINTR { continue }
    guard count > 0 else { break }
    bytes += chunk[..<count]
  }
  return bytes
}
