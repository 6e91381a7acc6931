internal import Core

/// Recognises text that was meant as a tool call.
///
/// It is never executed; it tells that the server lacks a tool parser.
enum ProseCalls {
  private static let marks = [
    "<tool_call>", "<function=", "<|tool_call", "[TOOL_CALLS]", "<|python_tag|>", "<function_call>", "\"tool_calls\"", "<invoke name=",
    "<|channel|>commentary to=",
  ]

  static func areIn(_ text: String, tools: [ModelTool]) -> Bool {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") }) else { return false }
    let bytes = Array(text.utf8.prefix(64 << 10))
    if marks.contains(where: { contains(bytes, Array($0.utf8)) }) { return true }
    let namesTool = tools.contains {
      contains(bytes, Array("\"\($0.name)\"".utf8)) || contains(bytes, Array("\"\(ToolNames.wireName($0.name))\"".utf8))
    }
    return namesTool && ["\"arguments\"", "\"parameters\"", "\"args\""].contains { contains(bytes, Array($0.utf8)) }
  }
}

/// Whether `needle` occurs in `bytes`.
///
/// - Complexity: O(n·m) at worst; the first byte rules out nearly every place.
func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool { firstRange(of: needle, in: bytes, from: 0) != nil }

/// Where `needle` first occurs at or after `start`.
func firstRange(of needle: [UInt8], in bytes: [UInt8], from start: Int) -> Range<Int>? {
  guard let first = needle.first, bytes.count - start >= needle.count else { return nil }
  var place = start
  while place + needle.count <= bytes.count {
    if bytes[place] == first, bytes[place..<place + needle.count].elementsEqual(needle) { return place..<place + needle.count }
    place += 1
  }
  return nil
}
