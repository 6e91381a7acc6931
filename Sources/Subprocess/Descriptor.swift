import Glibc

/// An open file descriptor with one owner, closed with it.
struct Descriptor: ~Copyable {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { Glibc.close(number) }

  /// A pipe, both ends close-on-exec and neither of them 0, 1 or 2, so that moving an end there never overwrites another.
  static func pipe(_ extensions: GlibcExtensions) -> Pipe? {
    var ends: [Int32] = [-1, -1]
    guard extensions.pipe2(&ends, O_CLOEXEC) == 0 else { return nil }
    var pipe = Pipe(reading: Descriptor(ends[0]), writing: Descriptor(ends[1]))
    if ends[0] < 3 {
      let moved = fcntl(ends[0], F_DUPFD_CLOEXEC, 3)
      guard moved >= 0 else { return nil }
      pipe.reading = Descriptor(moved)
    }
    if ends[1] < 3 {
      let moved = fcntl(ends[1], F_DUPFD_CLOEXEC, 3)
      guard moved >= 0 else { return nil }
      pipe.writing = Descriptor(moved)
    }
    return pipe
  }

  func setNonBlocking() { _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) }
}

/// Both ends of a pipe.
struct Pipe: ~Copyable {
  var reading: Descriptor
  var writing: Descriptor
}
