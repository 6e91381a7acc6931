/// Groups of code points that are equal when case is ignored, by the standard library's case mappings of one scalar to one scalar.
///
/// Mappings to several scalars (`ß` to `SS`) are left out, and so are the dotted and dotless I, which fold only in Turkic languages.
enum SimpleCaseFolding {
  /// Each group sorted, the groups ordered by their first member.
  ///
  /// Built once, on the first use: a scan of the planes 0 and 1,
  /// which hold all letters with case.
  static let orbits: [[UInt32]] = {
    var representative: [UInt32: UInt32] = [:]
    func find(_ codePoint: UInt32) -> UInt32 {
      var root = codePoint
      while let next = representative[root], next != root { root = next }
      return root
    }
    var cased: [UInt32] = []
    for codePoint in UInt32(0x41)...0x1FFFF {
      guard codePoint != 0x130, codePoint != 0x131, let scalar = Unicode.Scalar(codePoint), scalar.properties.changesWhenCaseMapped
      else { continue }
      for mapping in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping, scalar.properties.titlecaseMapping] {
        let mapped = mapping.unicodeScalars
        guard let other = mapped.first, mapped.count == 1, other != scalar else { continue }
        let (a, b) = (find(codePoint), find(other.value))
        if representative[codePoint] == nil { cased.append(codePoint) }
        if representative[other.value] == nil { cased.append(other.value) }
        representative[codePoint] = representative[codePoint] ?? codePoint
        representative[other.value] = representative[other.value] ?? other.value
        representative[max(a, b)] = min(a, b)
      }
    }
    var groups: [UInt32: [UInt32]] = [:]
    for codePoint in cased.sorted() { groups[find(codePoint), default: []].append(codePoint) }
    return groups.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
  }()
}
