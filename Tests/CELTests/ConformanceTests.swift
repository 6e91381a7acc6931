import CEL
import Core
import TestSupport
import Testing

/// The conformance suite of the language (Apache-2.0, github.com/google/cel-spec), read in place.
@Suite(.enabled(if: Conformance.isPresent, "\(Conformance.absent)"))
struct ConformanceTests {
  /// The files of the core language with the number of their cases.
  static let core: [(file: String, count: Int)] = [
    ("basic", 43), ("comparisons", 334), ("conversions", 109), ("fields", 60), ("fp_math", 30), ("integer_math", 64), ("lists", 39),
    ("logic", 30), ("macros", 44), ("namespace", 14), ("parse", 193), ("plumbing", 5), ("string", 51), ("timestamps", 73),
  ]
  static let extensions: [(file: String, count: Int)] = [
    ("bindings_ext", 8), ("encoders_ext", 4), ("macros2", 46), ("math_ext", 199), ("optionals", 59), ("string_ext", 212),
    ("type_deduction", 26),
  ]

  /// Cases that do not pass, each with its reason.
  ///
  /// One that starts to pass must leave this list.
  static let known: [String: String] = Dictionary(
    uniqueKeysWithValues: [
      "multiple_parameters_generality", "multiple_parameters_generality_2", "multiple_parameters_parameterized_ovl",
      "multiple_parameters_parameterized_ovl_2",
    ].map { ("type_deduction/type_parameters/\($0)", "declares an abstract type with parameters, of which there are no values here") })

  /// Cases whose expected value was garbled when the suite was converted from its text format, with the value that was meant:
  /// `\?` stands for `?` there, and was kept with its backslash.
  static let corrected: [String: CELValue] = [
    "parse/bytes_literals/triple_single_quoted_unescaped_punctuation": .bytes(Array(" ? \" ' ` ".utf8)),
    "parse/bytes_literals/triple_double_quoted_unescaped_punctuation": .bytes(Array(" ? \" ' ` ".utf8)),
  ]

  @Test(arguments: core + extensions)
  func file(_ name: String, _ count: Int) throws {
    let cases = try ConformanceCase.load(name)
    #expect(cases.count == count)
    var passed = 0
    var corrected = 0
    for test in cases {
      if let meant = Self.corrected[test.name] {
        #expect(test.failure() != nil, "\(test.name) passes as it is, but is listed as garbled")
        guard case .value(meant, _) = try test.run() else {
          Issue.record("\(test.name) does not give the value that was meant")
          continue
        }
        corrected += 1
        continue
      }
      switch (test.failure(), Self.known[test.name]) {
      case (nil, nil): passed += 1
      case (let failure?, nil): Issue.record("\(test.name): \(failure)")
      case (nil, let reason?): Issue.record("\(test.name) passes, but is listed as known to fail: \(reason)")
      case (.some, .some): break
      }
    }
    let listed = cases.filter { Self.known[$0.name] != nil }.count
    print("cel conformance \(name): \(passed) of \(count) passed, \(corrected) more after correction, \(listed) known to fail")
    #expect(passed + corrected + listed == count)
  }

  @Test func theCoreHasAllOfItsCases() {
    #expect(Self.core.reduce(0) { $0 + $1.count } == 1089)
  }
}
