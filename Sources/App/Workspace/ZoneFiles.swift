internal import CEL
internal import Core
internal import Glibc

/// The time zones of this machine, for schedules and for expressions that are tried.
///
/// What is decided never depends on the machine: a schedule's start names the moment for which it was planned.
enum ZoneFiles {
  private static let folder = "/usr/share/zoneinfo/"

  /// The zone with a name such as `Europe/Berlin`; nil where there is none.
  static func zone(_ name: String) -> CELTimeZone? {
    // Some zones are links to others; none leads out of the folder.
    guard let path = realpath(folder + name, nil) else { return nil }
    defer { free(path) }
    let file = String(cString: path)
    guard file.hasPrefix(folder), let bytes = try? RegularFile.read(file, maximumBytes: 1 << 20) else { return nil }
    return CELTimeZone(tzif: bytes)
  }
}
