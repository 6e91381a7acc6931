import Core
import Foundation
import Glibc
import Testing

/// A terminal with nobody at it: the test types.
final class PseudoTerminal: Sendable {
  let controller: Int32
  let terminal: Int32

  init() throws {
    struct NoTerminal: Error {}
    controller = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var (unlocked, number): (Int32, Int32) = (0, 0)
    guard controller >= 0, ioctl(controller, 0x4004_5431, &unlocked) == 0, ioctl(controller, 0x8004_5430, &number) == 0 else {
      throw NoTerminal()  // TIOCSPTLCK and TIOCGPTN, which the Glibc module does not have
    }
    terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    guard terminal >= 0 else { throw NoTerminal() }
  }

  deinit {
    if terminal >= 0 { close(terminal) }
    close(controller)
  }

  func type(_ text: String) {
    let bytes = Array(text.utf8)
    #expect(write(controller, bytes, bytes.count) == bytes.count)
  }
}

/// Runs something that blocks, away from Swift's own threads.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
  }
}
