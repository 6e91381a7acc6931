/// An attribute as a file has it: a key, a typed value, attributes of its own.
public struct LogAttribute: Hashable, Sendable {
  /// A typed value.
  public enum Value: Hashable, Sendable {
    /// A text.
    case text(String)
    /// A moment, in Unix milliseconds, UTC.
    case moment(Int64)
    /// An integer.
    case integer(Int64)
    /// A number.
    case number(Double)
    /// True or false.
    case flag(Bool)
    /// An identifier.
    case id(String)
    /// Values in order, keys repeated or not.
    case list([LogAttribute])
    /// Nothing but the attributes that it holds.
    case container
  }

  /// What it is called, the extension's prefix included.
  public var key: String
  /// What it says.
  public var value: Value
  /// Attributes of the attribute.
  public var attributes: [LogAttribute]

  /// Makes an attribute.
  public init(_ key: String, _ value: Value, attributes: [LogAttribute] = []) {
    self.key = key
    self.value = value
    self.attributes = attributes
  }
}

/// What a file says of itself, before its cases.
public struct LogHeader: Hashable, Sendable {
  /// A set of keys that means the same in every log.
  public struct Extension: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// What its keys begin with.
    public var prefix: String
    /// Where it is defined.
    public var uri: String
  }

  /// Keys by which events are told apart.
  public struct Classifier: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// `event` or `trace`, where the file says so.
    public var scope: String?
    /// The keys, separated by spaces.
    public var keys: String
  }

  /// The extensions that the log uses.
  public var extensions: [Extension] = []
  /// Attributes that every case has.
  public var caseDefaults: [LogAttribute] = []
  /// Attributes that every event has.
  public var eventDefaults: [LogAttribute] = []
  /// How events are told apart.
  public var classifiers: [Classifier] = []
  /// The log's own attributes.
  public var attributes: [LogAttribute] = []

  /// A header that says nothing.
  public init() {}
}

/// An event log with everything else that its file tells: what readers make and writers take.
///
/// Case names, activities, times and resources stand in ``log`` alone; every other attribute is a column of ``caseColumns`` or
/// ``eventColumns``, by case and event number of that log.
public struct AttributedLog: Sendable {
  /// The columns that the analyses read.
  public let log: EventLog
  /// What the file says of itself.
  public var header: LogHeader
  /// Attributes of cases, in order of first appearance.
  public let caseColumns: [AttributeColumn]
  /// Attributes of events, in order of first appearance.
  public let eventColumns: [AttributeColumn]
  /// How many events stood after a later one of their case; the log has them in order of time.
  public let outOfOrder: Int
  let texts: NameTable

  /// A log without anything else.
  public init(_ log: EventLog, header: LogHeader = LogHeader()) {
    self.init(log: log, header: header, caseColumns: [], eventColumns: [], outOfOrder: 0, texts: NameTable())
  }

  init(
    log: EventLog, header: LogHeader, caseColumns: [AttributeColumn], eventColumns: [AttributeColumn], outOfOrder: Int, texts: NameTable
  ) {
    self.log = log
    self.header = header
    self.caseColumns = caseColumns
    self.eventColumns = eventColumns
    self.outOfOrder = outOfOrder
    self.texts = texts
  }

  /// The attributes of a case beyond its name.
  ///
  /// - Complexity: O(columns · log rows).
  public func attributes(ofCase index: Int) -> [LogAttribute] { attributes(caseColumns, index) }

  /// The attributes of an event beyond activity, time and resource.
  ///
  /// - Complexity: O(columns · log rows).
  public func attributes(ofEvent index: Int) -> [LogAttribute] { attributes(eventColumns, index) }

  private func attributes(_ columns: [AttributeColumn], _ owner: Int) -> [LogAttribute] {
    columns.compactMap { column in column.row(of: UInt32(owner)).map { column.attribute($0, texts) } }
  }
}
