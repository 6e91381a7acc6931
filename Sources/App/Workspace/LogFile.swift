internal import Core
internal import Glibc
internal import ProcessMining

/// Event logs in files that the person names: they are read piece by piece, however large.
enum LogFile {
  /// What a log can be written as.
  enum Format: String, CaseIterable {
    case xes, csv, ocel

    /// The format that is named, or the one that the file's name ends with.
    ///
    /// - Throws: ``CommandError`` where neither says one.
    init(_ name: String?, path: String) throws {
      let name = name ?? path.split(separator: "/").last.flatMap { $0.split(separator: ".").dropFirst().last }.map { $0.lowercased() }
      guard let name else {
        throw CommandError.usage("the format is not clear", hint: "say `--format xes`, `--format csv` or `--format ocel`")
      }
      // What the files of OCEL are called.
      guard let format = name == "jsonocel" || name == "json" ? .ocel : Format(rawValue: name) else {
        throw CommandError.usage("`\(visible(name))` is no format of an event log", hint: "there are `xes`, `csv` and `ocel`")
      }
      self = format
    }

    /// A log of cases in this format.
    func bytes(_ log: AttributedLog) throws -> [UInt8] {
      try Self.collect { sink in
        switch self {
        case .xes: try XESWriter.write(log, to: sink)
        case .csv: try CSVLogWriter.write(log, to: sink)
        case .ocel:
          throw CommandError.usage(
            "a log of cases has no objects to write", hint: "OCEL is written of this workspace's own log; say `xes` or `csv`")
        }
      }
    }

    /// A log of objects as OCEL 2.0.
    static func bytes(_ log: ObjectLog) throws -> [UInt8] { try collect { try OCELWriter.write(log, to: $0) } }

    private static func collect(_ body: (@escaping ([UInt8]) throws -> Void) throws -> Void) throws -> [UInt8] {
      var bytes: [UInt8] = []
      try withoutActuallyEscaping({ (piece: [UInt8]) in bytes += piece }, do: body)
      return bytes
    }
  }

  /// Reads a log; what it is shows in its first character.
  ///
  /// - Parameters:
  ///   - path: The file; `-` is standard input.
  ///   - map: Which columns of a table say what.
  /// - Returns: The log.
  /// - Throws: ``FileError``; `Diagnostic` with line and column for the first thing that is wrong in it; ``CommandError`` for a map that is
  ///   of no use.
  static func read(_ path: String, map: [(name: String, value: String)]) throws -> AttributedLog {
    let descriptor = path == "-" ? STDIN_FILENO : try RegularFile.open(path)
    defer { if path != "-" { close(descriptor) } }
    var held: [UInt8]? = try chunk(descriptor, path)
    let first = held ?? []
    let source = ByteSource {
      guard let beginning = held else { return try chunk(descriptor, path) }
      held = nil
      return beginning
    }
    if first.starts(with: [0x1F, 0x8B]) {
      throw CommandError(
        .failed, "log-packed", "`\(visible(path))` is packed with gzip", hint: "unpack it: `gunzip -c FILE | remit … --log -`")
    }
    let text = first.dropFirst(first.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0).first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if text == UInt8(ascii: "<") {
      guard map.isEmpty else { throw CommandError.usage("`--map` is about tables, and `\(visible(path))` is XES") }
      return try XESReader.read(source, file: path)
    }
    if text == UInt8(ascii: "{") { return AttributedLog(try readObjects(source, path, map)) }
    return try CSVLogReader.read(source, mapping: try CSVMapping(pairs: map), file: path)
  }

  /// Reads OCEL 2.0 in JSON as the objects of one type see it.
  private static func readObjects(_ source: ByteSource, _ path: String, _ map: [(name: String, value: String)]) throws -> EventLog {
    for (name, _) in map where name != "object" && name != "resource" {
      throw Diagnostic.unknown("part of a map of OCEL", name, known: ["object", "resource"], at: nil)
    }
    let log = try OCELReader.read(try source.all(maximumBytes: OCELReader.maximumBytes), file: path)
    let types = log.objectTypes.map(\.name)
    guard let type = map.first(where: { $0.name == "object" })?.value ?? (types.count == 1 ? types[0] : nil) else {
      let names = types.sorted(by: bytesLess).prefix(12).map { visible($0) }.joined(separator: ", ")
      throw CommandError.usage(
        "`\(visible(path))` has objects of several types: \(names)", hint: "say which of them are the cases: `--map object=TYPE`")
    }
    guard types.contains(where: { bytesEqual($0, type) }) else {
      throw Diagnostic.unknown("type of objects", type, known: types, at: nil)
    }
    return try log.flattened(by: type, resource: map.first { $0.name == "resource" }?.value)
  }

  /// Up to 256 KiB of a file; none at its end.
  private static func chunk(_ descriptor: Int32, _ path: String) throws -> [UInt8] {
    while true {
      var failure: Int32?
      let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, count in
        let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        count = max(0, got)
        if got < 0 { failure = errno }
      }
      guard let failure else { return bytes }
      if failure != EINTR { throw FileError(.system, path: path, "cannot read: \(String(cString: strerror(failure)))") }
    }
  }
}
