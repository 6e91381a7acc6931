/// A complete answer, whatever its status: an error status is no thrown error, and a redirect is an answer that is not followed.
public struct HTTPResponse: Hashable, Sendable {
  /// The status code, 100...999.
  public var status: Int
  /// The fields of the final header block.
  public var headers: HTTPHeaders
  /// The body as it came, not decompressed (the client asks for no compression).
  public var body: [UInt8]
  /// From queueing the request to the last byte.
  public var duration: Duration

  /// An answer with these parts.
  public init(status: Int, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = [], duration: Duration = .zero) {
    self.status = status
    self.headers = headers
    self.body = body
    self.duration = duration
  }
}
