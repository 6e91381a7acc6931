import Core
import Glibc

extension Evidence {
  /// Takes in a file as evidence: opened once, copied, and hashed while it is copied, so that later changes of the file do not matter.
  ///
  /// - Parameters:
  ///   - path: A path below `root`: relative to it, or absolute and beginning with it. `..` is refused, and so is a symbolic link in any
  ///     part below the root, a second name (hard link) of the file, and whatever is not a regular file.
  ///   - root: The folder that evidence may come from; it is trusted, and may itself be reached through links.
  ///   - media: The media type, such as `application/pdf`.
  ///   - limit: The largest size, in bytes.
  /// - Returns: Evidence that holds the bytes, small ones in memory and large ones in a nameless temporary file.
  /// - Throws: ``AuditError`` that says what is wrong with the path or the file, with code ``AuditError/Code/notFound`` where there is none,
  ///   else ``AuditError/Code/evidence``.
  /// - Complexity: O(n) for n bytes.
  public static func file(
    _ path: String, within root: String, media: String, limit: Int = AuditLimits.evidenceBytes
  ) throws(AuditError) -> Evidence {
    let source = try open(path, within: root)
    defer { close(source) }
    let shown = "`\(visible(path))`"
    let before = try status(of: source, shown)
    guard before.st_nlink <= 1 else {
      throw refusal("\(shown) is a file with \(before.st_nlink) names (hard links)", hint: "copy the file and attach the copy")
    }
    guard before.st_size <= limit else { throw tooLarge(shown, Int(before.st_size), limit) }
    let copy = try copied(source, shown, limit: limit, inMemory: before.st_size <= EvidenceWriter.chunk)
    let after = try status(of: source, shown)
    guard copy.size == Int(before.st_size), after.st_size == before.st_size, after.st_mtim.tv_sec == before.st_mtim.tv_sec,
      after.st_mtim.tv_nsec == before.st_mtim.tv_nsec
    else {
      throw refusal("\(shown) changed while it was read", hint: "attach it again when nobody writes to it")
    }
    return Evidence(reference: EvidenceReference(digest: copy.digest, media: media, size: copy.size), source: copy.source)
  }

  private static func refusal(_ message: String, hint: String? = nil) -> AuditError { AuditError(.evidence, message, hint: hint) }

  private static func status(of descriptor: Int32, _ shown: String) throws(AuditError) -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw refusal("\(shown) cannot be read: \(String(cString: strerror(errno)))") }
    return status
  }

  // MARK: Opening

  /// Opens each part of the path below the one before it, so that nobody can swap a folder for a link in between.
  private static func open(_ path: String, within root: String) throws(AuditError) -> Int32 {
    let shown = "`\(visible(path))`"
    if path.utf8.contains(0) { throw refusal("\(shown) holds a NUL character") }
    var parts = try components(of: path, within: root, shown)
    guard let last = parts.popLast() else { throw refusal("\(shown) names no file") }
    var folder = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else {
      if errno == ENOENT { throw AuditError(.notFound, "there is no file \(shown)") }
      throw refusal("the folder `\(visible(root))` cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(folder) }
    for part in parts {
      let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard next >= 0 else { throw explain(errno, part, in: folder, shown) }
      close(folder)
      folder = next
    }
    let file = openat(folder, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard file >= 0 else { throw explain(errno, last, in: folder, shown) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(file)
      throw refusal("\(shown) is \(kind(status.st_mode)), not a regular file")
    }
    return file
  }

  private static func components(of path: String, within root: String, _ shown: String) throws(AuditError) -> [String] {
    func split(_ path: String) -> [String] {
      path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }.filter { $0 != "." }
    }
    var parts = split(path)
    if path.utf8.first == UInt8(ascii: "/") {
      let base = split(root)
      guard root.utf8.first == UInt8(ascii: "/"), parts.count > base.count, zip(parts, base).allSatisfy({ bytesEqual($0, $1) }) else {
        throw refusal("\(shown) does not lie in `\(visible(root))`", hint: "copy the file there first")
      }
      parts.removeFirst(base.count)
    }
    if parts.contains("..") { throw refusal("\(shown) leads upwards with `..`", hint: "name the file without it") }
    return parts
  }

  private static func explain(_ problem: Int32, _ part: String, in folder: Int32, _ shown: String) -> AuditError {
    var status = stat()
    if fstatat(folder, part, &status, AT_SYMLINK_NOFOLLOW) == 0 {
      if status.st_mode & S_IFMT == S_IFLNK {
        return refusal("\(shown) leads through the symbolic link `\(visible(part))`", hint: "name the file itself")
      }
      if problem == ENOTDIR { return refusal("`\(visible(part))` in \(shown) is \(kind(status.st_mode)), not a folder") }
      if problem == ENXIO { return refusal("\(shown) is \(kind(status.st_mode)), not a regular file") }
    }
    if problem == ENOENT { return AuditError(.notFound, "there is no file \(shown)") }
    return refusal("\(shown) cannot be opened: \(String(cString: strerror(problem)))")
  }

  private static func kind(_ mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFDIR: "a folder"
    case S_IFIFO: "a named pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    case S_IFLNK: "a symbolic link"
    default: "something else"
    }
  }

  // MARK: Copying

  private static func copied(
    _ source: Int32, _ shown: String, limit: Int, inMemory: Bool
  ) throws(AuditError) -> (digest: Digest, size: Int, source: Source) {
    var hash = SHA256()
    var bytes: [UInt8] = []
    var size = 0
    let spool = inMemory ? nil : SpooledFile(descriptor: try temporaryFile())
    var chunk = [UInt8](repeating: 0, count: EvidenceWriter.chunk)
    while true {
      let count = read(source, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw refusal("\(shown) cannot be read: \(String(cString: strerror(errno)))") }
      if count == 0 { break }
      size += count
      guard size <= limit else { throw tooLarge(shown, size, limit) }
      chunk.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      if let spool { try append(chunk[..<count], to: spool.descriptor, shown) } else { bytes.append(contentsOf: chunk[..<count]) }
    }
    return (hash.finalize(), size, spool.map { .file($0) } ?? .bytes(bytes))
  }

  static func append(_ bytes: ArraySlice<UInt8>, to descriptor: Int32, _ shown: String) throws(AuditError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw refusal("\(shown) cannot be copied: \(String(cString: strerror(errno)))", hint: "free some space") }
      rest = rest.dropFirst(count)
    }
  }

  /// A file that has no name any more.
  static func temporaryFile() throws(AuditError) -> Int32 {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
    var name = Array("\(folder)/remit-evidence-XXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw refusal("no temporary file can be made in `\(visible(folder))`: \(reason)", hint: "set TMPDIR to a writable folder")
    }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unlink(name)
    return descriptor
  }
}
