internal import Core
internal import Glibc
public import Governance
public import ProcessModel
internal import Subprocess

/// Why it cannot be said what a tool's parts outside its release are.
public struct ToolObservationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Which part, and why: untrusted text may be in it.
  public let description: String
}

/// A file whose digest is known, for as long as the system says that nobody has touched it.
struct SeenFile: Hashable, Sendable {
  var device: UInt64
  var inode: UInt64
  var size: Int64
  var modified: [Int]
  var digest: Digest
}

/// What a tool's parts outside the release are.
extension CommandConnector {
  /// The largest program that is pinned.
  private static let programBytes = 1 << 28
  /// The longest that a server may take to list what it offers.
  private static let catalogueTime = Duration.seconds(10)

  /// The pins of all tools of a process that depend on programs outside its bundle, as these are now.
  ///
  /// - Parameters:
  ///   - tools: The tools.
  ///   - programs: The programs of the bundle, by path.
  /// - Returns: The pins by the tools' names.
  /// - Throws: ``ToolObservationError`` for the first part that is missing, or a catalogue that does not have the tool.
  public func pins(of tools: [ToolDefinition], programs: [String: [UInt8]]) async throws(ToolObservationError) -> [String: ToolPin] {
    var pins: [String: ToolPin] = [:]
    for tool in tools where tool.hasOutsideParts {
      let pin = try await observe(tool, programs: programs, within: Self.catalogueTime)
      if !tool.catalogue.isEmpty, pin.parts[ToolPin.catalogue] == nil {
        throw ToolObservationError(description: "the server of tool `\(tool.name)` offers no tool `\(visible(tool.operation))`")
      }
      pins[tool.name] = pin
    }
    return pins
  }

  /// What the parts of a tool are now that no release holds.
  ///
  /// A program that is another one when it is started than when it was looked at is beyond what this can see.
  func observe(
    _ tool: ToolDefinition, programs: [String: [UInt8]], within time: Duration
  ) async throws(ToolObservationError) -> ToolPin {
    var parts: [String: Digest] = [:]
    for command in [tool.command, tool.catalogue] {
      for (place, word) in command.enumerated() {
        if place == 0, ToolDefinition.isHeld(word) { continue }
        if place > 0, !word.hasPrefix("/") { continue }
        if let digest = try digest(of: word, isProgram: place == 0) { parts[word] = digest }
      }
    }
    if !tool.catalogue.isEmpty {
      parts[ToolPin.catalogue] = try await entry(of: tool, programs: programs, within: min(time, Self.catalogueTime))
    }
    return ToolPin(parts)
  }

  /// The digest of a program, or of a file that an argument names; nil for an argument that names none.
  private func digest(of word: String, isProgram: Bool) throws(ToolObservationError) -> Digest? {
    var path = word
    if isProgram {
      do throws(SubprocessError) {
        path = try (word.hasPrefix("/") ? Executable.path(word) : .named(word, path: Self.searchPath)).resolved()
      } catch {
        throw ToolObservationError(description: error.message)
      }
    }
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    let place = String(cString: resolved)
    var status = stat()
    guard stat(place, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    if let known = seen.withLock({ $0[place] }), known.device == status.st_dev, known.inode == status.st_ino,
      known.size == Int64(status.st_size), known.modified == modified
    {
      return known.digest
    }
    do throws(FileError) {
      let digest = SHA256.hash(try RegularFile.read(place, maximumBytes: Self.programBytes))
      seen.withLock {
        $0[place] = SeenFile(
          device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size), modified: modified, digest: digest)
      }
      return digest
    } catch {
      throw ToolObservationError(description: error.description)
    }
  }

  /// The digest of the server's entry for a tool; nil where it lists none.
  ///
  /// All of the entry counts: name, description, schema and annotations. None of it is believed; what a tool does, the process file says.
  private func entry(
    of tool: ToolDefinition, programs: [String: [UInt8]], within time: Duration
  ) async throws(ToolObservationError) -> Digest? {
    func failure(_ why: String) -> ToolObservationError {
      ToolObservationError(description: "the catalogue of tool `\(tool.name)` cannot be read: \(secrets.blotForPrograms.text(why))")
    }
    guard let program = tool.catalogue.first else { return nil }
    mkdir(state, 0o700)
    let executable: Executable
    do throws(FileError) { executable = try self.executable(program, pinned: programs) } catch { throw failure(error.description) }
    var invocation = Invocation(
      executable, Array(tool.catalogue.dropFirst()), environment: environment(of: tool), workingDirectory: state,
      limits: InvocationLimits(time: time, outputBytes: Self.resultBytes))
    invocation.environment["REMIT_CALL"] = "catalogue"
    invocation.mark = "REMIT_CALL"
    let result: InvocationResult
    do throws(SubprocessError) { result = try await invocation.run() } catch { throw failure(error.message) }
    guard result.termination == .exited(0) else { throw failure("the program ended by \(result.termination)") }
    let listing: JSON
    do throws(JSONError) { listing = try JSON.parse(result.output) } catch { throw failure(error.description) }
    guard let entries = (listing["tools"] ?? listing).arrayValue else { throw failure("it is no list, and no object with `tools`") }
    let own = entries.filter { $0["name"]?.stringValue.map { bytesEqual($0, tool.operation) } ?? false }
    if own.count > 1 { throw failure("it has two tools `\(visible(tool.operation))`") }
    return own.first.map { SHA256.hash($0.canonicalBytesRounding()) }
  }
}
