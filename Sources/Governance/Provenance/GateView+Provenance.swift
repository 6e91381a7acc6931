internal import Core
internal import ProcessModel

extension GateView {
  /// What the run has been told so far, and by whom: its fields, the words of its people, its facts, and what its tools returned.
  ///
  /// - Complexity: O(size of what is kept of the run).
  func provenance() -> ProvenanceIndex {
    var index = ProvenanceIndex()
    guard let run, let process = release?.process else { return index }
    let endorsements = RunEndorsements(self)
    for endorsed in endorsements.values { index.endorse(endorsed.value, as: endorsed.names, by: endorsed.by) }
    for field in run.state.fields {
      guard let value = field.value else { continue }
      if field.origin.trusted, field.by.hasPrefix("user:") { for text in LeafReader.texts(of: value) { index.hear(text) } }
      index.observe(
        tool: "run", source: "the field \(field.name), from \(field.origin.label)", arguments: [:],
        output: ToolOutput(.object([field.name: value])),
        trusted: field.origin.trusted, isPrivate: (process.field(field.name)?.sensitivity ?? .restricted) >= .confidential,
        endorser: endorsements.source(field.origin.label))
    }
    for comment in run.state.comments where comment.by.hasPrefix("user:") { if let text = comment.text { index.hear(text) } }
    for question in run.state.questions { if let answer = question.answer { index.hear(answer) } }
    for result in run.results { observe(result, of: process, endorser: endorsements.source("tool:\(result.tool)"), in: &index) }
    return index
  }

  private func observe(
    _ call: ToolResult, of process: ProcessDefinition, endorser: Endorser?, in index: inout ProvenanceIndex
  ) {
    guard let entry = call.entry else { return }
    let tool = process.tool(call.tool)
    let isTrusted = tool.map { !$0.readsUntrusted } ?? false
    guard let bytes = call.result, let result = try? JSON.parse(bytes) else {
      index.miss(trusted: isTrusted)
      return
    }
    let arguments = call.arguments.flatMap { try? JSON.parse($0) }?.objectValue ?? [:]
    index.observe(
      tool: call.tool, source: "what \(call.tool) returned (entry \(entry))", arguments: arguments, output: ToolOutput(result),
      trusted: isTrusted,
      isPrivate: tool?.returnsPrivate ?? true, endorser: endorser)
  }
}
