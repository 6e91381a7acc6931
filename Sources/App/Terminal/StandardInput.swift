internal import Core
internal import Glibc

/// Standard input as bytes.
enum StandardInput {
  /// All bytes up to the end of the input, or up to one more than the limit.
  static func read(maximumBytes: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= maximumBytes {
      let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    return bytes
  }
}
