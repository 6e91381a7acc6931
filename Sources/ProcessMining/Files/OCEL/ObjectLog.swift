/// An object-centric event log: events, the objects that they are about, and how objects belong together.
///
/// Every name that is used is declared, and every object that is named is there: ``OCELReader`` refuses a file in which that is not so.
///
/// - SeeAlso: OCEL (Object-Centric Event Log) 2.0 specification, 2023.
public struct ObjectLog: Hashable, Sendable {
  /// The type of an attribute's values.
  public enum ValueType: String, Hashable, Sendable, CaseIterable {
    /// A text.
    case string
    /// A moment.
    case time
    /// A whole number.
    case integer
    /// A number.
    case float
    /// True or false.
    case boolean
  }

  /// A kind of object or of event, with the attributes that those of this kind may have.
  public struct Kind: Hashable, Sendable {
    /// An attribute that is declared.
    public struct Field: Hashable, Sendable {
      /// Its name.
      public var name: String
      /// The type of its values.
      public var type: ValueType

      /// Declares an attribute.
      public init(_ name: String, _ type: ValueType) { (self.name, self.type) = (name, type) }
    }

    /// Its name.
    public var name: String
    /// Its attributes.
    public var fields: [Field]

    /// Declares a kind.
    public init(_ name: String, _ fields: [Field] = []) { (self.name, self.fields) = (name, fields) }
  }

  /// That an object is named by an event or by another object.
  public struct Relationship: Hashable, Sendable {
    /// The object's id.
    public var object: String
    /// In which part it is named.
    public var qualifier: String

    /// Names an object.
    public init(_ object: String, _ qualifier: String) { (self.object, self.qualifier) = (object, qualifier) }
  }

  /// An object.
  public struct Object: Hashable, Sendable {
    /// The value that an attribute has from a moment on.
    public struct Change: Hashable, Sendable {
      /// From when on, in Unix milliseconds; 0 for the value that it had first.
      public var time: Int64
      /// The attribute.
      public var attribute: LogAttribute

      /// A value from a moment on.
      public init(_ attribute: LogAttribute, from time: Int64 = 0) { (self.attribute, self.time) = (attribute, time) }
    }

    /// What tells it from every other object.
    public var id: String
    /// The name of its kind.
    public var type: String
    /// Its attributes, with their changes.
    public var attributes: [Change]
    /// The objects that it belongs to.
    public var relationships: [Relationship]

    /// Makes an object.
    public init(_ id: String, _ type: String, attributes: [Change] = [], relationships: [Relationship] = []) {
      (self.id, self.type, self.attributes, self.relationships) = (id, type, attributes, relationships)
    }
  }

  /// Something that happened.
  public struct Event: Hashable, Sendable {
    /// What tells it from every other event.
    public var id: String
    /// The name of its kind.
    public var type: String
    /// When, in Unix milliseconds, UTC.
    public var time: Int64
    /// Its attributes.
    public var attributes: [LogAttribute]
    /// The objects that it is about.
    public var relationships: [Relationship]

    /// Makes an event.
    public init(_ id: String, _ type: String, at time: Int64, attributes: [LogAttribute] = [], relationships: [Relationship] = []) {
      (self.id, self.type, self.time, self.attributes, self.relationships) = (id, type, time, attributes, relationships)
    }
  }

  /// The kinds of objects.
  public var objectTypes: [Kind]
  /// The kinds of events.
  public var eventTypes: [Kind]
  /// The objects.
  public var objects: [Object]
  /// The events.
  public var events: [Event]

  /// Makes a log of its parts.
  public init(objectTypes: [Kind] = [], eventTypes: [Kind] = [], objects: [Object] = [], events: [Event] = []) {
    (self.objectTypes, self.eventTypes, self.objects, self.events) = (objectTypes, eventTypes, objects, events)
  }

  /// The log as the objects of one type see it: each is a case, and the events about it are its events.
  ///
  /// An event about several of them is in the case of each, so numbers of events are not those of the log.
  ///
  /// - Parameters:
  ///   - type: The name of a kind of objects.
  ///   - resource: The qualifier under which events name who did it, where there is one; the first such object counts.
  /// - Returns: The log; objects without events are not in it.
  /// - Throws: ``EventLogError`` for a moment that is out of range, and for too many events.
  /// - Complexity: O(events · relationships).
  public func flattened(by type: String, resource: String? = nil) throws(EventLogError) -> EventLog {
    let cases = Set(objects.filter { Names.same($0.type, type) }.map { Array($0.id.utf8) })
    var builder = EventLogBuilder()
    for event in events {
      let who = resource.flatMap { qualifier in event.relationships.first { Names.same($0.qualifier, qualifier) }?.object }
      var seen: [String] = []
      for relationship in event.relationships where cases.contains(Array(relationship.object.utf8)) {
        // The same object in two parts is about one event.
        if seen.contains(where: { Names.same($0, relationship.object) }) { continue }
        seen.append(relationship.object)
        try builder.add(case: relationship.object, activity: event.type, at: event.time, resource: who)
      }
    }
    return builder.finish()
  }
}
