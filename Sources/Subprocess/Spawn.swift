import Glibc

/// A program that was started in a process group of its own, with our ends of its three pipes.
struct Child: ~Copyable {
  let process: pid_t
  let input: Descriptor
  let output: Descriptor
  let errorOutput: Descriptor

  /// Starts the program.
  ///
  /// The child inherits no descriptor but 0, 1 and 2, no signal mask and no ignored signal.
  static func start(_ invocation: Invocation) throws(SubprocessError) -> Child {
    let path = try invocation.executable.resolved()
    try invocation.checkArguments()
    guard let extensions = GlibcExtensions.available else {
      throw SubprocessError(.system, path, "programs cannot be started: glibc 2.34 or newer is needed")
    }
    if let directory = invocation.workingDirectory {
      var information = stat()
      guard stat(directory, &information) == 0, information.st_mode & S_IFMT == S_IFDIR, access(directory, X_OK) == 0 else {
        throw SubprocessError(.workingDirectory, path, "the working directory `\(directory)` of `\(path)` cannot be entered")
      }
    }
    guard let input = Descriptor.pipe(extensions), let output = Descriptor.pipe(extensions), let errors = Descriptor.pipe(extensions)
    else { throw SubprocessError(.system, path, "no pipe for `\(path)`: \(systemText(errno))") }

    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_adddup2(&actions, input.reading.number, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writing.number, 1)
    posix_spawn_file_actions_adddup2(&actions, errors.writing.number, 2)
    _ = extensions.addCloseFrom(&actions, 3)
    if let directory = invocation.workingDirectory { _ = extensions.addChangeDirectory(&actions, directory) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    var process: pid_t = 0
    let code = withCStrings([path] + invocation.arguments) { arguments in
      withCStrings(invocation.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }) { environment in
        posix_spawn(&process, path, &actions, &attributes, arguments, environment)
      }
    }
    guard code == 0 else {
      let isFormat = code == ENOEXEC || code == ENOENT
      let hint = isFormat ? "; is it a script whose interpreter is missing?" : ""
      throw SubprocessError(code == ENOEXEC ? .notExecutable : .system, path, "`\(path)` could not be started: \(systemText(code))\(hint)")
    }
    input.writing.setNonBlocking()
    output.reading.setNonBlocking()
    errors.reading.setNonBlocking()
    // The child's ends close here, with the halves of the pipes that are not handed on.
    return Child(process: process, input: input.writing, output: output.reading, errorOutput: errors.reading)
  }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
  var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
  pointers.append(nil)
  defer { for pointer in pointers { free(pointer) } }
  return pointers.withUnsafeBufferPointer { buffer in
    guard let start = buffer.baseAddress else { preconditionFailure("an array with a terminator has an address") }
    return body(start)
  }
}
