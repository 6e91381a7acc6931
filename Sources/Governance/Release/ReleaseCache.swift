internal import Audit
internal import Core

/// The releases that this process has loaded, by digest: content never changes, so nothing here is ever stale.
final class ReleaseCache: Sendable {
  private let loaded = Locked<[String: Release]>([:])

  subscript(digest: String) -> Release? { loaded.withLock { $0[digest] } }

  func insert(_ release: Release) {
    loaded.withLock { cache in
      // A workspace has tens of releases; a bound keeps a strange one from growing without end.
      if cache.count >= 64 { cache.removeAll() }
      cache[release.digest.hex] = release
    }
  }

  /// The release of a digest, read from the store where it is not here yet.
  ///
  /// - Throws: ``Refusal`` where the store has no such release, or its files cannot be used by this build.
  func release(_ digest: String, evidence: (Digest) throws -> [UInt8]?) throws -> Release {
    if let release = self[digest] { return release }
    guard let key = Digest(hex: digest), let bytes = try evidence(key),
      let manifest = (try? JSON.parse(bytes)).flatMap({ ReleaseManifest(json: $0) })
    else {
      throw Refusal(.releaseUnknown, "the store has no release `\(visible(digest))`")
    }
    let files = try manifest.files.map { file in
      guard let bytes = try evidence(file.digest) else {
        throw Refusal(.releaseUnknown, "the store lacks the file `\(visible(file.path))` of release \(digest.prefix(12))")
      }
      return (path: file.path, bytes: bytes)
    }
    do throws(Diagnostics) {
      let release = try Release.load(ReleaseBundle(process: manifest.process, files: files), directory: nil)
      insert(release)
      return release
    } catch {
      throw Refusal(.releaseInvalid, "release \(digest.prefix(12)) cannot be used by this build: \(error.description)")
    }
  }
}
