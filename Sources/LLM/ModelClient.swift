/// Something that answers model requests: an endpoint, a recording or a script.
public protocol ModelClient: Sendable {
  /// Answers one request.
  ///
  /// - Parameters:
  ///   - request: The whole conversation so far and the tools on offer.
  ///   - deadline: When the turn is over, whatever the transport's own time limits and retries would still allow.
  /// - Returns: A reply that was read in full. A refusal by the model, text without a tool call, and calls with unusable arguments are
  ///   replies.
  /// - Throws: ``ModelError``. Nothing of the turn may be acted upon then.
  func respond(to request: ModelRequest, deadline: ContinuousClock.Instant) async throws(ModelError) -> ModelReply
}

extension ModelClient {
  /// Answers one request within this time from now.
  ///
  /// - Throws: ``ModelError``, as ``respond(to:deadline:)``.
  public func respond(to request: ModelRequest, within time: Duration) async throws(ModelError) -> ModelReply {
    try await respond(to: request, deadline: .now + time)
  }
}

/// The wire format of an endpoint.
public enum ModelAPI: String, Hashable, Sendable, CaseIterable {
  /// OpenAI's Chat Completions, which nearly every other server speaks too.
  case chat
  /// OpenAI's Responses, which its newer models need for tools.
  case responses
}

/// How tools are offered to the model.
public enum ModelMode: String, Hashable, Sendable, CaseIterable {
  /// In the request's `tools`; the model answers with tool calls.
  case tools
  /// As a choice in a JSON schema that the server makes the model's text follow, for servers without tool support.
  case structured
}
