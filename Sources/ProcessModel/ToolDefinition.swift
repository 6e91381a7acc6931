public import Core

/// A named operation of a connector, as the process declares it.
public struct ToolDefinition: Sendable {
  /// What a call does.
  public enum Effect: String, Hashable, Sendable, CaseIterable {
    /// Changes nothing anywhere.
    case read
    /// Changes the run only.
    case state
    /// Changes something outside.
    case external
  }

  /// What a call does to the world; finer than its effect, so that rules need not name tools.
  ///
  /// The words are those that conditions compare `tool.action` with.
  public enum Action: String, Hashable, Sendable, CaseIterable {
    /// Looks something up.
    case read
    /// Changes a record.
    case write
    /// Sends something to somebody.
    case send
    /// Gives somebody access.
    case share
    /// Removes something.
    case delete
    /// Moves money.
    case pay
    /// Reserves something.
    case reserve
    /// Changes a secret, or who can sign in.
    case credential
    /// Changes who belongs to a group.
    case membership
    /// Asks an address outside for something, which by itself tells that address what was asked.
    case egress
  }

  /// Where a tool comes from.
  public enum Connector: String, Hashable, Sendable, CaseIterable {
    /// A local program: arguments as JSON on its standard input, its result as JSON on its standard output.
    case command
    /// An HTTP endpoint.
    case http
  }

  /// The name: connector part, dot, operation, such as `erp.activate_vendor`.
  public let name: String
  /// What it does, for people and for agents.
  public let title: String?
  /// What an agent should know before it calls the tool.
  public let help: String?
  /// Where it comes from.
  public let connector: Connector
  /// The connector's own settings, checked: `command` and `catalogue` for a program, `url`, `method` and `headers` for HTTP.
  public let settings: JSONObject
  /// What a call does.
  public let effect: Effect
  /// What a call does to the world.
  public let action: Action
  /// Whether a repeated call with the same idempotency key changes nothing more.
  public let isIdempotent: Bool
  /// Arguments that say where the effect goes: an address, an account, a vendor.
  public let sinks: [String]
  /// Arguments that carry content outside.
  public let payload: [String]
  /// Whether its results may hold text that an outsider wrote.
  public let readsUntrusted: Bool
  /// Whether its results may hold confidential data.
  public let returnsPrivate: Bool
  /// The JSON Schema of the arguments; an object, closed unless the file says otherwise.
  public let arguments: JSON
  /// The facts that a run learns from its result, by the name of the result's member.
  public let facts: [FactDefinition]
  /// The longest that one call may take.
  public let timeout: Duration

  /// What a tool has that declares no timeout.
  public static let standardTimeout = Duration.seconds(30)

  /// The words of the command that the tool runs; empty for a tool that is no program.
  public var command: [String] { words("command") }

  /// The words of the command that prints what the tool's server offers; empty where there is none.
  public var catalogue: [String] { words("catalogue") }

  /// What the server calls the operation: the name without the connector's part.
  public var operation: String { String(name.drop { $0 != "." }.dropFirst()) }

  /// Whether a call depends on programs that no release holds: then the release pins what they were when it was made.
  public var hasOutsideParts: Bool {
    !catalogue.isEmpty || command.enumerated().contains { $0.offset == 0 ? !Self.isHeld($0.element) : $0.element.hasPrefix("/") }
  }

  /// Whether a command's program is a file of the release, written as `tools/…` or `./tools/…`.
  public static func isHeld(_ program: String) -> Bool { program.hasPrefix("tools/") || program.hasPrefix("./tools/") }

  private func words(_ key: String) -> [String] { settings[key]?.arrayValue?.compactMap(\.stringValue) ?? [] }

  /// How far a member of its result may travel: a fact as it says itself, but not outside where results may be private.
  public func sensitivity(of member: String) -> Sensitivity {
    guard let fact = facts.first(where: { bytesEqual($0.name, member) }) else { return resultSensitivity }
    return max(fact.value.sensitivity, returnsPrivate ? .internal : .public)
  }

  /// How far all of a result may travel, whatever it holds, and what the tool says when it fails: as its strictest fact, and where results
  /// may be private as a confidential value.
  public var resultSensitivity: Sensitivity {
    facts.map(\.value.sensitivity).reduce(returnsPrivate ? .confidential : .public, max)
  }
}

/// A typed value that a run may learn from a tool.
public struct FactDefinition: Sendable {
  /// The name, as conditions use it: `facts.vendor_status`.
  public let name: String
  /// Its JSON type, choices and schema.
  public let value: FieldDefinition
}
