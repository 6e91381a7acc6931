internal import Audit
internal import Core
internal import Governance
internal import LocalSocket
internal import ProcessModel
internal import Storage

/// Why a command did not do what was asked, for people and for programs.
struct CommandError: Error, Sendable {
  /// What kind of problem it is, stable across releases, in kebab case.
  var code: String
  /// What is wrong: lower case, no full stop, what the user typed in backticks.
  var message: String
  /// What to do next, if there is one thing to do.
  var hint: String?
  /// The exit status that goes with it.
  var exit: ExitCode
  /// The single problems of a file that a person wrote; empty for other errors.
  var problems: [Diagnostic] = []

  init(_ exit: ExitCode, _ code: String, _ message: String, hint: String? = nil) {
    self.exit = exit
    self.code = code
    self.message = message
    self.hint = hint
  }

  /// The command line was not understood.
  static func usage(_ message: String, hint: String? = nil) -> CommandError {
    CommandError(.usage, "usage", message, hint: hint)
  }

  /// The store is kept by a service, and its file was to be opened for writing.
  static let serviceOnly = CommandError(
    .identity, "service-only", "`remit serve` keeps this store for several people, so its file is not opened for writing",
    hint: "start `remit serve` as the account that owns the store; `remit audit verify` reads the file in any mode")

  /// The store is kept by a service that was not found, and this account may not read its file.
  static let serviceAway = CommandError(
    .identity, "service-away", "`remit serve` keeps this store, and this account may not read its file",
    hint: "see that `remit serve` runs, and where it listens (REMIT_SOCKET); to verify the log, read the file as its owner or take a copy")

  /// A workspace whose folder the account may not look into.
  static func workspaceClosed(_ folder: String) -> CommandError {
    CommandError(
      .identity, "workspace-closed", "this account may not look into `\(visible(folder))`",
      hint: "where `remit serve` keeps it for a team: see that it runs, and where it listens (REMIT_SOCKET)")
  }

  /// Any error as a command's error: this is the one place that knows the errors of other modules.
  init(describing error: any Error) {
    switch error {
    case let error as CommandError: self = error
    case let error as Diagnostic:
      self.init(error.code == Diagnostic.fileNotFound ? .notFound : .failed, error.code, error.description)
      problems = [error]
    case let error as Diagnostics:
      let code = error.all.first?.code ?? "invalid"
      self.init(code == Diagnostic.fileNotFound ? .notFound : .failed, code, error.description)
      problems = error.all
    case let error as JSONError:
      self.init(.failed, "json", error.diagnostic.description)
      problems = [error.diagnostic]
    case let error as SocketError:
      let exit: ExitCode = [.denied, .impostor].contains(error.code) ? .identity : error.code == .inUse ? .conflict : .failed
      self.init(exit, "socket-\(error.code.rawValue)", error.message)
    case let error as FileError:
      self.init(error.code == .notFound ? .notFound : .failed, "file-\(error.code.rawValue)", error.description)
    case let error as Refusal: self.init(error.exitCode, error.code, error.message)
    case let error as RunRefusal: self.init(.refused, error.code.rawValue, error.message)
    case let error as StorageError:
      self.init(error.code == .notFound ? .notFound : .failed, "store-\(Self.kebab(error.code.rawValue))", error.message, hint: error.hint)
    case let error as AuditError:
      let exit: ExitCode = error.code == .notFound ? .notFound : error.code == .discards ? .conflict : .failed
      self.init(exit, "log-\(Self.kebab(error.code.rawValue))", error.message, hint: error.hint)
    case let error as GovernanceLedger.Misfit:
      self.init(
        .failed, "log-misfit", "the log cannot be read: \(error.description)",
        hint: "`remit audit verify` names the first entry that does not fit")
    default: self.init(.failed, "failed", "\(error)")
    }
  }

  /// `newerVersion` as `newer-version`.
  private static func kebab(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
  }

  /// `{"error": {"code", "message", "hint"?, "problems"?}}`.
  var json: JSON {
    var body: JSONObject = ["code": .string(code), "message": .string(message)]
    if let hint { body["hint"] = .string(hint) }
    if !problems.isEmpty { body["problems"] = .array(problems.map(\.json)) }
    return ["error": .object(body)]
  }
}

extension Diagnostic {
  /// `{"severity", "code", "message", "hint"?, "file"?, "line"?, "column"?}`.
  var json: JSON {
    var body: JSONObject = ["severity": .string(severity.rawValue), "code": .string(code), "message": .string(message)]
    if let hint { body["hint"] = .string(hint) }
    if let position {
      if let file = position.file { body["file"] = .string(file) }
      body["line"] = .int(position.line)
      body["column"] = .int(position.column)
    }
    return .object(body)
  }
}
