/// Where a writer puts what it has written, piece by piece, so that a file of any size takes little memory.
struct ByteSink {
  private(set) var bytes: [UInt8] = []
  private let flushed: ([UInt8]) throws -> Void
  private static let size = 1 << 16

  init(_ flush: @escaping ([UInt8]) throws -> Void) {
    flushed = flush
    bytes.reserveCapacity(Self.size + (1 << 12))
  }

  mutating func append(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Appends by a function that has the buffer.
  mutating func append<Result>(_ body: (inout [UInt8]) throws -> Result) rethrows -> Result { try body(&bytes) }

  /// Hands over what is there once it is enough.
  mutating func flushIfFull() throws {
    if bytes.count >= Self.size { try flush() }
  }

  /// Hands over the rest.
  mutating func flush() throws {
    if !bytes.isEmpty { try flushed(bytes) }
    bytes.removeAll(keepingCapacity: true)
  }
}
