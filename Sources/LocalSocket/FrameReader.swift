public import Core

/// Takes bytes as they come and gives frames: one JSON object a line.
public struct FrameReader: Sendable {
  private var bytes: [UInt8] = []
  /// How far ``bytes`` was looked through for a line feed.
  private var searched = 0

  /// A reader of an empty stream.
  public init() {}

  /// Takes bytes in.
  public mutating func append(_ more: ArraySlice<UInt8>) { bytes += more }

  /// Whether a whole frame is there.
  ///
  /// - Throws: ``SocketError`` with code `tooLarge` where what is there is longer than a frame may be.
  public mutating func hasFrame(limit: Int) throws(SocketError) -> Bool {
    let end = bytes[searched...].firstIndex(of: 0x0A)
    searched = end ?? bytes.count
    if searched > limit { throw SocketError(.tooLarge, "a frame has more than \(limit) bytes") }
    return end != nil
  }

  /// Takes the next whole frame.
  ///
  /// - Parameter limit: The most bytes that the frame may have.
  /// - Returns: The frame; nil where more bytes are needed.
  /// - Throws: ``SocketError`` with code `tooLarge` or `garbled`; nothing that follows can be relied upon then.
  public mutating func next(limit: Int = SocketLimits.frameBytes) throws(SocketError) -> JSON? {
    guard try hasFrame(limit: limit) else { return nil }
    let frame: JSON
    do throws(JSONError) {
      frame = try JSON.parse(Array(bytes[..<searched]))
    } catch {
      throw SocketError(.garbled, "this is not a frame: a JSON object on one line is needed")
    }
    guard frame.objectValue != nil else { throw SocketError(.garbled, "this is not a frame: a JSON object on one line is needed") }
    bytes.removeFirst(searched + 1)
    searched = 0
    return frame
  }
}
