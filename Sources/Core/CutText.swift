/// The beginning of a text of at most `bytes` UTF-8 bytes, whole characters only.
///
/// A bound on Swift's characters bounds nothing: one of them can have any number of bytes.
public func cut(_ text: String, to bytes: Int) -> String {
  guard text.utf8.count > bytes else { return text }
  var end = text.utf8.index(text.utf8.startIndex, offsetBy: bytes)
  while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
  return String(text[..<end])
}
