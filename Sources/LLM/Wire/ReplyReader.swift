internal import Core

/// What a reply may hold at most.
struct ReplyLimits: Hashable, Sendable {
  var toolCalls = 128
  var argumentBytes = 256 << 10
  /// Tokens of one kind in one turn; a server that counts more than a model can take counts wrong, and its usage is dropped.
  var tokens: Int64 = 1_000_000_000
}

/// Reads the body of a successful answer.
struct ReplyReader {
  let request: ModelRequest
  let names: ToolNames
  var limits = ReplyLimits()
  var isScripted = false

  /// A reply.
  ///
  /// - Throws: ``ModelError`` for a body that is not what the wire format says; its exchange is the caller's to add.
  func read(_ exchange: ModelExchange) throws(ModelError) -> ModelReply {
    let root: JSON
    do throws(JSONError) {
      root = try JSON.parse(exchange.responseBytes)
    } catch {
      throw malformed("it is no strict JSON: \(visible(String(error.description.prefix(160))))")
    }
    // Some servers and proxies answer 200 with an error inside.
    if let error = root["error"], !error.isNull { throw ErrorBody(json: root).error(status: nil, isRetryable: true) }
    var draft = Draft(root: root)
    switch request.api {
    case .chat: try readChat(&draft)
    case .responses: try readResponses(&draft)
    }
    if request.mode == .structured { readStructured(&draft, exchange) }
    return finish(draft, exchange)
  }

  /// What a format's own part found.
  struct Draft {
    let root: JSON
    var text = ""
    var refusal: String?
    var finish = ModelReply.Finish.other
    var calls: [RawCall] = []
    /// The assistant message but for repairs in its calls.
    var assistant: JSON = .null
    var warnings: [ModelWarning] = []
    /// Arguments of structured mode; there they are no text of their own.
    var structured: (arguments: JSON, reason: String?)?

    init(root: JSON) { self.root = root }
  }

  /// A call as it came.
  struct RawCall {
    var id: String
    var name: String
    /// Text, or an object where a server sends one.
    var arguments: JSON
    var isFunction = true
    var isIncomplete = false
  }

  func malformed(_ why: String) -> ModelError {
    ModelError(.malformedReply, "the model's reply cannot be read: \(why)", isTransient: true)
  }

  func tooMany(_ count: Int) -> ModelError {
    ModelError(.tooManyToolCalls, "the model's reply holds \(count) tool calls, more than the limit of \(limits.toolCalls)")
  }

  // MARK: Structured mode

  private func readStructured(_ draft: inout Draft, _ exchange: ModelExchange) {
    if !draft.calls.isEmpty {
      draft.warnings.append(ModelWarning(.unexpectedToolCalls, "\(draft.calls.count) tool calls came although none were offered as such"))
      draft.calls = []
      if case .object(var message) = draft.assistant {
        message["tool_calls"] = nil
        if message["content"]?.stringValue == nil { message["content"] = .string(draft.text) }
        draft.assistant = .object(message)
      } else if case .array(let items) = draft.assistant {
        draft.assistant = .array(items.filter { $0["type"] != "function_call" })
      }
    }
    guard request.asksForStructure, draft.refusal == nil else { return }
    switch StructuredMode.parse(draft.text) {
    case .failure(let warning): draft.warnings.append(warning)
    case .success(let call):
      draft.calls = [RawCall(id: "", name: call.tool, arguments: call.arguments)]
      draft.structured = (call.arguments, call.reason)
    }
  }

  // MARK: Calls

  private func finish(_ draft: Draft, _ exchange: ModelExchange) -> ModelReply {
    var draft = draft
    var calls: [ModelToolCall] = []
    var seen: Set<ExactString> = []
    var first: [CallKey: String] = [:]
    var repairs: [Int: Repair] = [:]
    var minted = 0
    for (index, raw) in draft.calls.enumerated() {
      let name = raw.isFunction ? remitName(raw.name) : nil
      var (arguments, text) = parse(raw, isLast: index == draft.calls.count - 1, draft: draft)
      var id = raw.id
      var repair = Repair()
      if id.isEmpty || id.utf8.count > 512 || seen.contains(ExactString(id)) {
        if !id.isEmpty, id.utf8.count <= 512 {
          let flaw = ModelToolCall.Flaw(
            .duplicateID, "another call of this reply has the same id, so this one was not executed; ask again if you need it")
          arguments = .failure(flaw)
        }
        id = mint(index, exchange, taken: seen)
        repair.id = id
        minted += request.mode == .structured ? 0 : 1
      }
      seen.insert(ExactString(id))
      if case .failure(let flaw) = arguments, flaw.code != .duplicateID, case .string(let written) = raw.arguments,
        (try? JSON.parse(written)) == nil
      {
        repair.arguments = "{}"
      } else if case .object = raw.arguments, request.mode == .tools {
        // The formats say text; replayed as an object, some servers refuse it.
        repair.arguments = text
      }
      if repair.id != nil || repair.arguments != nil { repairs[index] = repair }
      var call = ModelToolCall(
        id: id, name: name ?? cut(raw.name, to: 256), arguments: arguments, rawArguments: text, reason: draft.structured?.reason,
        isOffered: name != nil)
      if case .success(let object) = arguments {
        let key = CallKey(name: call.name, arguments: object)
        if let earlier = first[key] { call.repeats = earlier } else { first[key] = id }
      }
      calls.append(call)
    }
    if minted > 0 {
      draft.warnings.append(ModelWarning(.mintedIDs, "\(minted) tool calls came without an id of their own, so one was made for each"))
    }
    if !repairs.isEmpty && request.mode == .tools { repair(&draft.assistant, repairs) }
    warn(&draft, calls)
    return ModelReply(
      toolCalls: calls, text: draft.text, refusal: draft.refusal, finish: draft.finish, usage: usage(draft.root["usage"]),
      model: draft.root["model"]?.stringValue.map { cut($0, to: 256) }, assistant: draft.assistant, exchange: exchange,
      isScripted: isScripted,
      warnings: draft.warnings)
  }

  private struct CallKey: Hashable {
    let name: String
    let arguments: JSONObject
  }

  /// What must change in a call of the assistant message before it can be sent back.
  private struct Repair {
    var id: String?
    var arguments: String?
  }

  /// The offered tool; in structured mode the model writes Remit's own names.
  private func remitName(_ name: String) -> String? {
    guard request.mode == .structured else { return names.remit(name) }
    return request.tools.contains { bytesEqual($0.name, name) } ? name : nil
  }

  private func parse(_ raw: RawCall, isLast: Bool, draft: Draft) -> (Result<JSONObject, ModelToolCall.Flaw>, String) {
    func flaw(_ code: ModelToolCall.Flaw.Code, _ message: String) -> Result<JSONObject, ModelToolCall.Flaw> {
      .failure(.init(code, message))
    }
    let text: String
    let parsed: JSON?
    switch raw.arguments {
    case .string(let written): (text, parsed) = (written, nil)
    case .null: (text, parsed) = ("", nil)
    default:
      var writer = WireWriter()
      writer.value(raw.arguments)
      (text, parsed) = (String(decoding: writer.bytes, as: UTF8.self), raw.arguments)
    }
    guard raw.isFunction else {
      return (flaw(.unsupportedKind, "only function calls are supported here"), cut(text, to: limits.argumentBytes))
    }
    guard text.utf8.count <= limits.argumentBytes else {
      return (
        flaw(.argumentsTooLarge, "the arguments are longer than the limit of \(limits.argumentBytes) bytes"),
        cut(text, to: limits.argumentBytes)
      )
    }
    // Some servers complete half-written JSON, so that a cut call may look whole: the last call of a cut reply is never executed.
    if raw.isIncomplete || (draft.finish == .length && isLast) {
      return (flaw(.truncated, "the reply ended in the middle of this call, so it was not executed; write less at a time"), text)
    }
    if let parsed { return (object(parsed), text) }
    if text.utf8.allSatisfy({ $0 == 0x20 || (9...13).contains($0) }) { return (.success(JSONObject()), text) }
    do throws(JSONError) { return (object(try JSON.parse(text)), text) } catch {
      return (flaw(.malformedArguments, "the arguments are no strict JSON: \(visible(String(error.description.prefix(200))))"), text)
    }
  }

  private func object(_ json: JSON) -> Result<JSONObject, ModelToolCall.Flaw> {
    guard case .object(let object) = json else {
      return .failure(
        .init(.notAnObject, "the arguments must be a JSON object, not \(json.typeName == "null" ? "null" : "of type `\(json.typeName)`")"))
    }
    return .success(object)
  }

  /// Nine letters and digits, which every endpoint accepts; a function of the exchange, so that a replay mints the same.
  private func mint(_ index: Int, _ exchange: ModelExchange, taken: Set<ExactString>) -> String {
    var hash = SHA256()
    hash.update(exchange.requestBytes)
    hash.update(exchange.responseBytes)
    let base = hash.finalize()
    var round = 0
    while true {
      var salted = SHA256()
      salted.update(base.bytes)
      salted.update(Array("\(index)/\(round)".utf8))
      let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
      let id = String(decoding: salted.finalize().bytes.prefix(9).map { alphabet[Int($0) % alphabet.count] }, as: UTF8.self)
      if !taken.contains(ExactString(id)) { return id }
      round += 1
    }
  }

  private func repair(_ assistant: inout JSON, _ repairs: [Int: Repair]) {
    switch assistant {
    case .object(var message):
      guard var items = message["tool_calls"]?.arrayValue else { return }
      for index in items.indices {
        guard let repair = repairs[index], case .object(var call) = items[index] else { continue }
        if let id = repair.id { call["id"] = .string(id) }
        if let arguments = repair.arguments, case .object(var function)? = call["function"] {
          function["arguments"] = .string(arguments)
          call["function"] = .object(function)
        }
        items[index] = .object(call)
      }
      message["tool_calls"] = .array(items)
      assistant = .object(message)
    case .array(var items):
      let places = items.indices.filter { items[$0]["type"] == "function_call" }
      for (index, place) in places.enumerated() {
        guard let repair = repairs[index], case .object(var call) = items[place] else { continue }
        if let id = repair.id { call["call_id"] = .string(id) }
        if let arguments = repair.arguments { call["arguments"] = .string(arguments) }
        items[place] = .object(call)
      }
      assistant = .array(items)
    default: break
    }
  }

  // MARK: The rest

  private func warn(_ draft: inout Draft, _ calls: [ModelToolCall]) {
    guard calls.isEmpty, !request.tools.isEmpty else { return }
    if draft.finish == .toolCalls {
      draft.warnings.append(ModelWarning(.toolCallsMissing, "the finish reason announces tool calls, and there are none"))
    }
    if request.mode == .tools, ProseCalls.areIn(draft.text, tools: request.tools) {
      draft.warnings.append(
        ModelWarning(
          .proseLooksLikeToolCall, "the text looks like a tool call, but is text: does the server have a tool parser for this model?"))
    }
  }

  private func usage(_ json: JSON?) -> ModelUsage? {
    guard let json, case .object = json else { return nil }
    func count(_ value: JSON?) -> Int? { value?.intValue.flatMap { (0...limits.tokens).contains($0) ? Int($0) : nil } }
    guard let input = count(json["prompt_tokens"] ?? json["input_tokens"]),
      let output = count(json["completion_tokens"] ?? json["output_tokens"])
    else { return nil }
    return ModelUsage(
      inputTokens: input, outputTokens: output,
      cachedInputTokens: count((json["prompt_tokens_details"] ?? json["input_tokens_details"])?["cached_tokens"]),
      reasoningTokens: count((json["completion_tokens_details"] ?? json["output_tokens_details"])?["reasoning_tokens"]))
  }
}
