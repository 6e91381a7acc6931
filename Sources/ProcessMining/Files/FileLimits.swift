/// How much a file of events may hold; every limit has an error that states it.
public struct FileLimits: Hashable, Sendable {
  /// Events in all.
  public var events: Int
  /// Different attribute keys of events, and of cases.
  public var columns: Int
  /// Bytes of all different texts: names, activities, resources, values.
  public var textBytes: Int
  /// Attributes in the file's head, or in one value that is a list or has attributes of its own.
  public var nested: Int
  /// The parts of an XML file.
  public var xml: XMLLimits

  /// Makes limits; the defaults hold some gigabytes of columns.
  public init(
    events: Int = 200_000_000, columns: Int = 10_000, textBytes: Int = 1 << 30, nested: Int = 100_000, xml: XMLLimits = XMLLimits()
  ) {
    self.events = events
    self.columns = columns
    self.textBytes = textBytes
    self.nested = nested
    self.xml = xml
  }
}
