internal import Core
internal import ProcessModel

/// What the evidence of an allowance was gathered with: names, and digests of what they stand for.
public struct AllowancePins: Hashable, Sendable {
  /// `tool`, `prompt:NAME`, `document:NAME` and the like, with what each of them is; sorted by name.
  public let entries: [Entry]

  /// One of them.
  public struct Entry: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// Its digest, or the text that names it.
    public let value: String
  }

  /// The name of the model's pin.
  private static let model = "model"

  /// What a release gives an allowance's calls to work with.
  ///
  /// - Parameters:
  ///   - allowance: The allowance.
  ///   - release: The release.
  ///   - shared: What people accepted its tools to be.
  ///   - model: Which model the agent was asked with last, where one was.
  init(_ allowance: Allowance, in release: Release, _ shared: SharedState, model: String?) {
    var entries: [Entry] = []
    func pin(_ name: String, _ value: String?) { entries.append(Entry(name: name, value: value ?? "none")) }
    let builtin = BuiltinTool(rawValue: allowance.tool)
    pin("tool \(allowance.tool)", (builtin?.digest ?? shared.definitionDigest(of: allowance.tool, in: release)).hex)
    for name in release.documents.keys { pin("document \(name)", release.documents[name]?.digest.hex) }
    let steps = release.process.steps.filter { step in
      guard case .agent(let agent) = step.performer, allowance.agents.contains(agent) else { return false }
      return allowance.step.map { bytesEqual($0, step.id) } ?? true
    }
    for name in Set(steps.compactMap(\.prompt)) { pin("prompt \(name)", release.prompts[name]?.digest.hex) }
    if let model { pin(Self.model, model) }
    self.entries = entries.sorted { bytesLess($0.name, $1.name) }
  }

  /// The same without the model, which no release names.
  var ofRelease: AllowancePins { AllowancePins(entries: entries.filter { $0.name != Self.model }) }

  /// The model that the evidence is from; nil where no model was asked.
  var model: String? { entries.first { $0.name == Self.model }?.value }

  /// What is another thing now, by name, in words; nil where nothing is.
  func change(to other: AllowancePins) -> String? {
    for entry in entries where !other.entries.contains(entry) { return "the \(visible(entry.name)) is not the one that it was earned with" }
    let new = other.entries.first { entry in !entries.contains { $0.name == entry.name } }
    return new.map { "there was no \(visible($0.name)) when it was earned" }
  }

  // MARK: As an entry's body

  private init(entries: [Entry]) { self.entries = entries }

  var json: JSON { .object(JSONObject(entries.map { ($0.name, .string($0.value)) })) }

  init(json: JSON?) {
    let members = json?.objectValue ?? [:]
    entries = members.map { Entry(name: $0, value: $1.stringValue ?? "") }.sorted { bytesLess($0.name, $1.name) }
  }
}
