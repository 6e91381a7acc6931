/// Parts of the language beyond its standard definitions.
public struct CELLibraries: OptionSet, Hashable, Sendable {
  /// The bits.
  public let rawValue: Int

  /// Makes a set from its bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// `charAt`, `indexOf`, `lowerAscii`, `replace`, `split`, `substring`, `trim`, `join`, `format`, `reverse`, `strings.quote` and the like.
  public static let strings = CELLibraries(rawValue: 1)
  /// `math.greatest`, `math.least`, `math.round`, `math.abs`, `math.bitAnd` and the like.
  public static let math = CELLibraries(rawValue: 2)
  /// `optional.of`, `orValue`, `x.?field`, `x[?index]`, `optMap` and the like.
  public static let optionals = CELLibraries(rawValue: 4)
  /// `all(index, item, …)`, `transformList`, `transformMap` and the like.
  public static let twoVariables = CELLibraries(rawValue: 8)
  /// `cel.bind(name, value, body)`.
  public static let bindings = CELLibraries(rawValue: 16)
  /// `base64.encode` and `base64.decode`.
  public static let encoders = CELLibraries(rawValue: 32)
  /// All of them.
  public static let all: CELLibraries = [.strings, .math, .optionals, .twoVariables, .bindings, .encoders]
}
