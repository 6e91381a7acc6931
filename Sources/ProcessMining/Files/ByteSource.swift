internal import Core

/// Bytes of a file, chunk by chunk: readers pull, and whoever has the file opens it.
public struct ByteSource {
  /// The next bytes; none at the end.
  let next: () throws -> [UInt8]

  /// A source from a function that gives the next bytes, of any number, and none at the end.
  ///
  /// What the function throws goes through every reader unchanged.
  public init(_ next: @escaping () throws -> [UInt8]) { self.next = next }

  /// A source of bytes that are at hand, in chunks of at most that many (a programming error below 1).
  public init(_ bytes: [UInt8], chunk: Int = 1 << 18) {
    precondition(chunk > 0, "a chunk holds at least one byte")
    var place = 0
    self.init {
      let end = min(bytes.count, place + chunk)
      defer { place = end }
      return Array(bytes[place..<end])
    }
  }

  /// Everything up to the end.
  ///
  /// - Throws: `Diagnostic` for more bytes than the limit; what the function throws.
  public func all(maximumBytes: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let chunk = try next()
      if chunk.isEmpty { return bytes }
      bytes += chunk
      guard bytes.count <= maximumBytes else { throw Diagnostic("file-limit", at: nil, "the file is larger than \(maximumBytes) bytes") }
    }
  }
}
