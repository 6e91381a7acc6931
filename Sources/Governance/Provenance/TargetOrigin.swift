public import Core
internal import ProcessModel

/// Where one value comes from that says whom a call affects: an argument that says where the effect goes, or a contact in its content.
public struct TargetOrigin: Hashable, Sendable {
  /// Where the value stands in the arguments, as a JSON pointer (RFC 6901).
  public let pointer: String
  /// The value.
  public let text: String
  /// Where it comes from, for people.
  public let origin: String
  /// Whether somebody or something vouches for it.
  public let isVouched: Bool
}

extension GateView {
  /// Where the targets of a call come from; none for a tool that declares none and content without contacts.
  ///
  /// - Complexity: that of ``ProvenanceIndex/labels(of:)``.
  public func targetOrigins(of tool: String, arguments: JSONObject) -> [TargetOrigin] {
    guard let definition = release?.process.tool(tool) else { return [] }
    let labels = provenance().labels(
      of: TracedCall(tool: tool, arguments: arguments, sinks: definition.sinks, schema: definition.arguments))
    let sinks = labels["sinks"]?.arrayValue ?? []
    let contacts = (labels["payload"]?.arrayValue ?? []).flatMap { value in
      (value["targets"]?.arrayValue ?? []).map { target in (value["pointer"], target) }
    }
    return (sinks.map { ($0["pointer"], $0) } + contacts).map { pointer, label in
      TargetOrigin(
        pointer: pointer?.stringValue ?? "", text: label["text"]?.stringValue ?? "", origin: label["origin"]?.stringValue ?? "",
        isVouched: label["vouched"]?.boolValue ?? false)
    }
  }
}
