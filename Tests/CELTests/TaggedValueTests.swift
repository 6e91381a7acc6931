import CEL
import Core
import Testing

@Suite struct TaggedValueTests {
  static let pairs: [(CELValue, String)] = [
    (.null, #"{"null":null}"#), (true, #"{"bool":true}"#), (.int(.min), #"{"int":"-9223372036854775808"}"#),
    (.uint(.max), #"{"uint":"18446744073709551615"}"#), (1.5, #"{"double":"1.5"}"#), (.double(-0.0), #"{"double":"-0.0"}"#),
    (.double(.infinity), #"{"double":"Infinity"}"#), (.double(-.infinity), #"{"double":"-Infinity"}"#),
    (.double(.nan), #"{"double":"NaN"}"#),
    ("é\u{0}", #"{"string":"é\u0000"}"#), (.bytes([0, 255]), #"{"bytes":"AP8="}"#), (.type(.list(.dyn)), #"{"type":"list"}"#),
    ([1, "a", []], #"{"list":[{"int":"1"},{"string":"a"},{"list":[]}]}"#),
    (.map(CELMap(fields: [("a", 1)])), #"{"map":[[{"string":"a"},{"int":"1"}]]}"#), (.optional(nil), #"{"optional":null}"#),
    (.optional(.null), #"{"optional":{"null":null}}"#),
  ]

  @Test(arguments: pairs) func aValueIsWrittenAndReadAgain(_ value: CELValue, _ text: String) throws {
    #expect(value.tagged == (try JSON.parse(Array(text.utf8))))
    #expect(try CELValue(tagged: value.tagged) == value)
  }

  @Test(arguments: [
    "1", "{}", #"{"int":"1","uint":"1"}"#, #"{"int":"1.5"}"#, #"{"int":"9223372036854775808"}"#, #"{"uint":"-1"}"#, #"{"bool":"true"}"#,
    #"{"bytes":"?"}"#, #"{"list":{}}"#, #"{"map":[[{"double":"1.5"},{"int":"1"}]]}"#, #"{"map":[[{"int":"1"}]]}"#,
    #"{"map":[[{"int":"1"},{"int":"1"}],[{"uint":"1"},{"int":"1"}]]}"#, #"{"type":"nothing"}"#, #"{"thing":"1"}"#, #"{"null":0}"#,
    #"{"optional":{"int":"x"}}"#,
  ])
  func whatIsNoValueIsRefused(_ text: String) throws {
    let json = try JSON.parse(Array(text.utf8))
    #expect(throws: CELBridgingError.self) { try CELValue(tagged: json) }
  }
}
