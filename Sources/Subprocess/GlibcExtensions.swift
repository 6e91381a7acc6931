import Glibc

/// GNU functions that Swift's `Glibc` module does not show, looked up by name once.
struct GlibcExtensions: Sendable {
  typealias Pipe2 = @convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32
  typealias AddCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
  typealias AddChangeDirectory = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> Int32
  typealias OpenProcess = @convention(c) (pid_t, UInt32) -> Int32

  /// Makes both ends close-on-exec in one step, so that no other thread's child can inherit them.
  let pipe2: Pipe2
  /// Closes every descriptor from a number on in the child (glibc 2.34).
  let addCloseFrom: AddCloseFrom
  /// Changes the child's working directory (glibc 2.29).
  let addChangeDirectory: AddChangeDirectory
  /// A descriptor that becomes readable when the process ends (glibc 2.36); without it the supervisor looks every 10 ms.
  let openProcess: OpenProcess?

  /// The functions, or `nil` where the C library is too old.
  static let available: GlibcExtensions? = {
    guard let pipe2 = dlsym(nil, "pipe2"), let closeFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np"),
      let changeDirectory = dlsym(nil, "posix_spawn_file_actions_addchdir_np")
    else { return nil }
    return GlibcExtensions(
      pipe2: unsafeBitCast(pipe2, to: Pipe2.self), addCloseFrom: unsafeBitCast(closeFrom, to: AddCloseFrom.self),
      addChangeDirectory: unsafeBitCast(changeDirectory, to: AddChangeDirectory.self),
      openProcess: dlsym(nil, "pidfd_open").map { unsafeBitCast($0, to: OpenProcess.self) })
  }()
}
