internal import Glibc

/// A file that cannot be read or written, for people.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of problem it is.
  public enum Code: String, Sendable {
    /// There is no such file.
    case notFound = "not-found"
    /// The file is a symbolic link, folder, pipe, socket or device.
    case notRegular = "not-regular"
    /// The file is larger than allowed.
    case tooLarge = "too-large"
    /// The operating system refused.
    case system
  }

  /// What kind of problem it is.
  public var code: Code
  /// The path as it was given.
  public var path: String
  /// What is wrong and what to do.
  public var message: String

  /// Makes an error.
  public init(_ code: Code, path: String, _ message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  /// The path, then what is wrong.
  public var description: String { "`\(visible(path))`: \(message)" }
}

/// Regular files, opened without following a symbolic link in the last part of the path.
public enum RegularFile {
  /// Reads a whole file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - maximumBytes: The largest size that is accepted.
  /// - Returns: Its bytes.
  /// - Throws: ``FileError``; a pipe or device is refused without waiting for it.
  public static func read(_ path: String, maximumBytes: Int) throws(FileError) -> [UInt8] {
    let descriptor = try open(path)
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw systemError(path, "cannot read") }
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
      if bytes.count > maximumBytes { throw FileError(.tooLarge, path: path, "larger than the limit of \(maximumBytes) bytes") }
    }
  }

  /// Opens a file for reading; the caller closes the descriptor.
  ///
  /// - Throws: ``FileError`` for a link, a folder, a pipe, a socket or a device.
  public static func open(_ path: String) throws(FileError) -> Int32 {
    if path.utf8.contains(0) { throw FileError(.notFound, path: path, "a path must not hold a NUL character") }
    let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    if descriptor < 0 {
      if errno == ENOENT || errno == ENOTDIR { throw FileError(.notFound, path: path, "there is no such file") }
      if errno == ELOOP { throw FileError(.notRegular, path: path, "this is a symbolic link; give the path of the file itself") }
      if errno == ENXIO { throw FileError(.notRegular, path: path, "this is a socket or a pipe, not a regular file") }
      throw systemError(path, "cannot open")
    }
    var status = stat()
    if fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFREG {
      close(descriptor)
      throw FileError(.notRegular, path: path, "this is not a regular file")
    }
    return descriptor
  }

  /// Writes a file by way of a temporary one beside it, so that no reader sees half of it.
  ///
  /// - Parameters:
  ///   - bytes: What is written.
  ///   - path: Where; only a regular file is replaced, never a link, device, pipe or folder.
  ///   - mode: Who may read and write a new file, less the process's mask.
  /// - Throws: ``FileError``; what stood there before is then still there.
  public static func writeAtomically(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(FileError) {
    var status = stat()
    if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw FileError(.notRegular, path: path, "it is there already and is no regular file, so it is not replaced")
    }
    // Several threads may write the same file at the same time: each has its own temporary one.
    let number = writes.withLock { number in
      number += 1
      return number
    }
    let temporary = "\(path).\(getpid()).\(number).tmp"
    let descriptor = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode)
    if descriptor < 0 { throw systemError(path, "cannot write") }
    var offset = 0
    while offset < bytes.count {
      let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      offset += count
    }
    let failed = offset < bytes.count || fsync(descriptor) != 0
    let error = systemError(path, "cannot write")
    close(descriptor)
    if failed || rename(temporary, path) != 0 {
      unlink(temporary)
      throw failed ? error : systemError(path, "cannot write")
    }
  }

  /// Counts writes, to tell temporary files apart.
  private static let writes = Locked(0)

  private static func systemError(_ path: String, _ action: String) -> FileError {
    FileError(.system, path: path, "\(action): \(String(cString: strerror(errno)))")
  }
}
