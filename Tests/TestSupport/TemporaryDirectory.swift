internal import Foundation

/// Gives the body a new empty folder, which is removed with all it holds afterwards.
public func withTemporaryDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
  let path = try makeTemporaryDirectory()
  defer { removeTree(path) }
  return try await body(path)
}

/// As the asynchronous one, for bodies that do not suspend.
public func withTemporaryDirectory<R>(_ body: (String) throws -> R) throws -> R {
  let path = try makeTemporaryDirectory()
  defer { removeTree(path) }
  return try body(path)
}

private struct NoTemporaryDirectory: Error {}

private func makeTemporaryDirectory() throws -> String {
  var template = Array("/tmp/remit-test-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw NoTemporaryDirectory() }
  return template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
}

private func removeTree(_ path: String) {
  try? FileManager.default.removeItem(atPath: path)
}
