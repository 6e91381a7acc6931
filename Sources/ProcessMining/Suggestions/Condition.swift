/// A conjunction of at most two comparisons, small enough to read at a glance.
public struct Condition: Hashable, Sendable {
  /// One comparison of a feature with a value.
  public struct Comparison: Hashable, Sendable {
    /// How the feature and the value are compared.
    ///
    /// The order is the order of preference where several conditions are equally good.
    public enum Operator: Int, Hashable, Sendable {
      /// The feature is the value.
      case equal
      /// The feature is at most the value.
      case atMost
      /// The feature is at least the value.
      case atLeast
    }

    /// The feature, as conditions name it.
    public let path: String
    /// How it is compared.
    public let comparison: Operator
    /// What it is compared with.
    public let value: FeatureValue

    /// The comparison in CEL, such as `run.amount <= 4800.0`.
    public var cel: String {
      if case .flag(let flag) = value { return flag ? path : "!\(path)" }
      let sign =
        switch comparison {
        case .equal: "=="
        case .atMost: "<="
        case .atLeast: ">="
        }
      return "\(path) \(sign) \(Self.literal(value))"
    }

    /// The opposite in CEL.
    public var negatedCEL: String {
      if case .flag(let flag) = value { return flag ? "!\(path)" : path }
      let sign =
        switch comparison {
        case .equal: "!="
        case .atMost: ">"
        case .atLeast: "<"
        }
      return "\(path) \(sign) \(Self.literal(value))"
    }

    /// Whether it holds for a value; false when the value is of another kind or absent.
    public func holds(_ other: FeatureValue?) -> Bool {
      switch (value, other) {
      case (.integer(let limit), .integer(let seen)): compare(seen, limit)
      case (.number(let limit), .number(let seen)): seen.isFinite && compare(seen, limit)
      case (.choice(let wanted), .choice(let seen)): comparison == .equal && Names.same(wanted, seen)
      case (.flag(let wanted), .flag(let seen)): comparison == .equal && wanted == seen
      default: false
      }
    }

    private func compare<Number: Comparable>(_ seen: Number, _ limit: Number) -> Bool {
      switch comparison {
      case .equal: seen == limit
      case .atMost: seen <= limit
      case .atLeast: seen >= limit
      }
    }

    /// The value as a CEL literal: a double always shows that it is one.
    static func literal(_ value: FeatureValue) -> String {
      switch value {
      case .integer(let number): return String(number)
      case .number(let number):
        let text = String(number)
        return text.utf8.contains(UInt8(ascii: ".")) || text.utf8.contains(UInt8(ascii: "e")) ? text : text + ".0"
      case .flag(let flag): return String(flag)
      case .choice(let name):
        var text = "'"
        for scalar in name.unicodeScalars {
          switch scalar {
          case "'": text += "\\'"
          case "\\": text += "\\\\"
          case _ where scalar.value < 0x20 || scalar.value == 0x7F || scalar.properties.generalCategory == .format:
            text += "\\U" + String(repeating: "0", count: 8 - String(scalar.value, radix: 16).count) + String(scalar.value, radix: 16)
          default: text.unicodeScalars.append(scalar)
          }
        }
        return text + "'"
      }
    }
  }

  /// The comparisons, all of which must hold; none means always.
  public let comparisons: [Comparison]

  /// The condition in CEL; `true` without a comparison.
  public var cel: String { comparisons.isEmpty ? "true" : comparisons.map(\.cel).joined(separator: " && ") }

  /// The opposite in CEL; `false` without a comparison.
  public var negatedCEL: String {
    switch comparisons.count {
    case 0: "false"
    case 1: comparisons[0].negatedCEL
    default: "!(\(cel))"
    }
  }

  /// Whether it holds for the features of a hold.
  public func holds(_ features: [String: FeatureValue]) -> Bool { comparisons.allSatisfy { $0.holds(features[$0.path]) } }
}
