public import Core

/// How far a value may travel.
public enum Sensitivity: String, Hashable, Sendable, CaseIterable, Comparable {
  /// Anyone may see it.
  case `public`
  /// Everyone in the organisation may see it, and the model endpoints that it trusts. The default.
  case `internal`
  /// Those who work on the run may see it; it enters no prompt unless the endpoint is cleared for it.
  case confidential
  /// Only the steps that name it may see it; it enters no prompt.
  case restricted

  /// How strict the level is, from 0.
  public var level: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// Whether the first may travel further.
  public static func < (a: Sensitivity, b: Sensitivity) -> Bool { a.level < b.level }
}

/// A typed value that a run may hold.
public struct FieldDefinition: Sendable {
  /// The JSON type of a field's value.
  public enum ValueType: String, Hashable, Sendable, CaseIterable {
    /// Text.
    case string
    /// A whole number; conditions see a CEL `int`.
    case integer
    /// Any number; conditions see a CEL `double`.
    case number
    /// `true` or `false`.
    case boolean
    /// A list.
    case array
    /// An object.
    case object
  }

  /// The name, unique in the process.
  public let name: String
  /// The JSON type of the value.
  public let type: ValueType
  /// The JSON type of the elements, where the field is a list that declares it.
  public let elementType: ValueType?
  /// The values that are allowed, where they are listed.
  public let choices: [JSON]?
  /// What people read instead of the name.
  public let title: String?
  /// What to enter, for people and for agents.
  public let help: String?
  /// The unit of a number, such as `EUR`.
  public let unit: String?
  /// How far the value may travel.
  public let sensitivity: Sensitivity
  /// Whether a form that asks for the field can only be completed with it.
  public let isRequired: Bool
  /// The JSON Schema that a value must meet.
  public let schema: JSON
  let validator: JSONSchema

  /// What is wrong with `value`, in words; `nil` when nothing is.
  ///
  /// - Parameters:
  ///   - value: A value for the field.
  ///   - kind: What the words call the field: `field` or `fact`.
  /// - Returns: The first problem; it names the field and never shows the value.
  /// - Complexity: O(size of the value) for the schemas that fields can have.
  public func problem(with value: JSON, as kind: String = "field") -> String? {
    let subject = "\(kind) `\(name)`"
    guard let violation = validator.validate(value, subject: subject, limits: .init(violations: 1)).first else { return nil }
    return violation.at.isEmpty ? violation.message : "\(subject): \(violation.message)"
  }
}

/// One field of a form.
public struct FormField: Hashable, Sendable {
  /// The field.
  public let name: String
  /// Whether the form can only be completed with it.
  public let isRequired: Bool
}

/// Evidence that a step asks for.
public struct EvidenceRequirement: Hashable, Sendable {
  /// The name, unique in the step.
  public let name: String
  /// What people read instead of the name.
  public let title: String?
  /// The media types that are accepted, such as `application/pdf` or `image/*`; empty for any.
  public let media: [String]
  /// Whether the step can only be completed with it.
  public let isRequired: Bool

  /// Whether evidence of this media type is accepted; letters of either case, parameters such as `; charset=utf-8` left aside.
  public func accepts(media type: String) -> Bool {
    let plain = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
    return media.isEmpty
      || media.contains { pattern in
        let pattern = pattern.lowercased()
        return pattern == "*/*" || pattern == plain || (pattern.hasSuffix("/*") && plain.hasPrefix(pattern.dropLast()))
      }
  }
}
