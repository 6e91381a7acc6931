import Core

/// Writes the SVG of a ``ProcessMap``.
///
/// Every text goes through ``escaped(_:)``.
struct SVGText {
  private(set) var text = ""

  private static let style = """
    text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#111827}
    .page{fill:#ffffff}.title{font-size:16px;font-weight:600}.note{font-size:11px;fill:#4b5563}
    .name{font-size:13px;font-weight:500;text-anchor:middle}.count{font-size:11px;fill:#374151;text-anchor:middle}
    .box{stroke:#1d4ed8;stroke-width:1.2}.base{fill:#ffffff}.heat{fill:#2563eb}
    .line{fill:none;stroke:#64748b}.head{fill:#64748b}.back .line{stroke:#b45309;stroke-dasharray:6 4}.back .head{fill:#b45309}
    .label{font-size:11px;fill:#1f2937;text-anchor:middle}.loop{text-anchor:start}.plate{fill:#ffffff;fill-opacity:.88}
    .start{fill:#ecfdf5;stroke:#047857;stroke-width:1.6}.end{fill:#fef2f2;stroke:#b91c1c;stroke-width:1.6}
    .pill{font-size:12px;font-weight:600;text-anchor:middle}
    @media (prefers-color-scheme:dark){
    text{fill:#e5e7eb}.page,.base,.plate{fill:#0f172a}.note{fill:#9ca3af}.count{fill:#cbd5e1}.box{stroke:#60a5fa}.heat{fill:#3b82f6}
    .line{stroke:#94a3b8}.head{fill:#94a3b8}.back .line{stroke:#fbbf24}.back .head{fill:#fbbf24}.label{fill:#e2e8f0}
    .start{fill:#052e1c;stroke:#34d399}.end{fill:#3b0d0d;stroke:#f87171}
    }
    """

  mutating func open(width: Double, height: Double, title: String, description: String) {
    let size = "\(Self.number(width)) \(Self.number(height))"
    text += "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(size)\" width=\"\(Self.number(width))\" "
    text += "height=\"\(Self.number(height))\" role=\"img\" aria-labelledby=\"map-title map-description\">\n"
    text += "<title id=\"map-title\">\(Self.escaped(title))</title>\n<desc id=\"map-description\">\(Self.escaped(description))</desc>\n"
    text += "<style>\n\(Self.style)\n</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n"
  }

  mutating func close() { text += "</svg>\n" }

  mutating func heading(_ title: String, _ notes: [String]) {
    write(title, x: 24, y: 32, style: "title")
    for (line, note) in notes.enumerated() { write(note, x: 24, y: 52 + 16 * Double(line), style: "note") }
  }

  mutating func group(x: Double, y: Double) { text += "<g transform=\"translate(\(Self.number(x)) \(Self.number(y)))\">\n" }

  mutating func endGroup() { text += "</g>\n" }

  mutating func pill(_ label: String, at centre: LayeredLayout.Point, style: String) {
    text +=
      "<rect class=\"\(style)\" x=\"\(Self.number(centre.x - 34))\" y=\"\(Self.number(centre.y - 14))\" width=\"68\" height=\"28\" rx=\"14\"/>\n"
    write(label, x: centre.x, y: centre.y + 4.3, style: "pill")
  }

  mutating func box(_ box: ActivityBox, at centre: LayeredLayout.Point, share: Double, most: Int) {
    let (left, top) = (centre.x - box.halfWidth, centre.y - box.height / 2)
    let frame =
      "x=\"\(Self.number(left))\" y=\"\(Self.number(top))\" width=\"\(Self.number(2 * box.halfWidth))\" "
      + "height=\"\(Self.number(box.height))\" rx=\"7\""
    let counts = "\(Self.grouped(box.node.count)) times; \(Self.grouped(box.node.starts)) starts, \(Self.grouped(box.node.ends)) ends"
    text += "<g><title>\(Self.escaped("\(box.node.activity): \(counts)"))</title>\n"
    text +=
      "<rect class=\"base\" \(frame)/><rect class=\"heat box\" fill-opacity=\"\(Self.number(0.05 + 0.3 * share, digits: 3))\" \(frame)/>\n"
    var baseline = top + 21
    for line in box.lines {
      write(line, x: centre.x, y: baseline, style: "name")
      baseline += 16
    }
    write(box.count, x: centre.x, y: baseline, style: "count")
    text += "</g>\n"
    guard let loop = box.loop else { return }
    let (x, reach) = (centre.x + box.halfWidth, ActivityBox.loopWidth)
    let (from, to) = (centre.y - 9, centre.y + 9)
    text += "<g class=\"back\"><title>\(Self.escaped("\(box.node.activity) again: \(ProcessMap.label(loop))"))</title>"
    text += "<path class=\"line\" stroke-width=\"\(Self.stroke(loop.count, most))\" d=\"M\(Self.point(x, from)) "
    text += "C\(Self.point(x + reach * 1.2, from - 12)) \(Self.point(x + reach * 1.2, to + 12)) \(Self.point(x + 7, to))\"/>"
    text += "<path class=\"head\" d=\"M\(Self.point(x + 1, to)) L\(Self.point(x + 9, to - 4.5)) L\(Self.point(x + 9, to + 4.5)) Z\"/></g>\n"
    write(ProcessMap.label(loop), x: x + reach + 4, y: centre.y + 4, style: "label loop")
  }

  mutating func arrow(_ route: LayeredLayout.Route, _ arrow: ProcessMap.Arrow, most: Int, title: String) {
    var points = route.points
    let tip = route.pointsUp ? points[0] : points[points.count - 1]
    let sign = route.pointsUp ? 1.0 : -1.0
    // The line stops inside the arrow's head.
    if route.pointsUp { points[0].y += 7 } else { points[points.count - 1].y -= 7 }
    text += "<g class=\"\(route.pointsUp ? "back" : "forth")\"><title>\(Self.escaped(title))</title>"
    text += "<path class=\"line\" stroke-width=\"\(Self.stroke(arrow.count, most))\" d=\"\(Self.curve(points))\"/>"
    let half = 4.2 + (Double(Self.strokeTenths(arrow.count, most)) / 10) * 0.5
    text += "<path class=\"head\" d=\"M\(Self.point(tip.x, tip.y)) L\(Self.point(tip.x - half, tip.y + sign * 10)) "
    text += "L\(Self.point(tip.x + half, tip.y + sign * 10)) Z\"/></g>\n"
  }

  mutating func label(_ label: String, at centre: LayeredLayout.Point, pointsUp: Bool) {
    let half = Self.width(label, size: 11) / 2 + 4
    text += "<rect class=\"plate\" x=\"\(Self.number(centre.x - half))\" y=\"\(Self.number(centre.y - 8))\" "
    text += "width=\"\(Self.number(2 * half))\" height=\"16\" rx=\"4\"/>\n"
    write(label, x: centre.x, y: centre.y + 4, style: "label")
  }

  private mutating func write(_ content: String, x: Double, y: Double, style: String) {
    text += "<text class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\">\(Self.escaped(content))</text>\n"
  }

  // MARK: geometry

  /// A smooth curve from top to bottom through all points, vertical at both ends, that never runs past a point to the side: monotone
  /// cubic interpolation of x over y.
  ///
  /// - SeeAlso: F. Fritsch, R. Carlson, "Monotone piecewise cubic interpolation", SIAM J. Numer. Anal. 17(2), 1980, doi:10.1137/0717021.
  static func curve(_ all: [LayeredLayout.Point]) -> String {
    var points: [LayeredLayout.Point] = []
    for point in all where points.last.map({ point.y - $0.y > 0.01 }) ?? true { points.append(point) }
    guard points.count > 1 else { return "M\(point(all[0].x, all[0].y))" }
    let secants = points.indices.dropLast().map { (points[$0 + 1].x - points[$0].x) / (points[$0 + 1].y - points[$0].y) }
    var slopes = [Double](repeating: 0, count: points.count)
    for index in points.indices.dropFirst().dropLast() {
      let (before, after) = (secants[index - 1], secants[index])
      if before * after > 0 { slopes[index] = 2 * before * after / (before + after) }
    }
    var path = "M\(point(points[0].x, points[0].y))"
    for index in points.indices.dropLast() {
      let (a, b) = (points[index], points[index + 1])
      let third = (b.y - a.y) / 3
      path += " C\(point(a.x + slopes[index] * third, a.y + third)) "
      path += "\(point(b.x - slopes[index + 1] * third, b.y - third)) \(point(b.x, b.y))"
    }
    return path
  }

  private static func stroke(_ count: Int, _ most: Int) -> String {
    let tenths = strokeTenths(count, most)
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// 1.0 to 5.5 by the root of the share, so that a rare arrow stays visible beside a frequent one.
  private static func strokeTenths(_ count: Int, _ most: Int) -> Int {
    10 + Int((45 * (Double(max(0, count)) / Double(most)).squareRoot()).rounded())
  }

  static func point(_ x: Double, _ y: Double) -> String { "\(number(x)),\(number(y))" }

  /// A number with at most so many decimals and no exponent.
  static func number(_ value: Double, digits: Int = 1) -> String {
    let scale = digits == 1 ? 10 : 1000
    let scaled = Int((value * Double(scale)).rounded())
    let (whole, rest) = (abs(scaled) / scale, abs(scaled) % scale)
    var text = (scaled < 0 ? "-" : "") + String(whole)
    guard rest > 0 else { return text }
    let decimals = String(rest)
    text += "." + String(repeating: "0", count: (digits == 1 ? 1 : 3) - decimals.count) + decimals
    while text.utf8.last == UInt8(ascii: "0") { text.removeLast() }
    return text
  }

  // MARK: text

  /// A count with a comma between groups of three digits.
  static func grouped(_ count: Int) -> String {
    let digits = Array(String(count.magnitude).utf8)
    var text = count < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.unicodeScalars.append(Unicode.Scalar(digit))
    }
    return text
  }

  /// About how wide a text is in a usual sans-serif font, in pixels; rather too much than too little.
  static func width(_ text: String, size: Double) -> Double {
    text.unicodeScalars.reduce(0) { sum, scalar in
      let part =
        switch scalar {
        case "i", "j", "l", "I", "|", ".", ",", ":", ";", "'", "!", "(", ")", "[", "]", "·": 0.36
        case "f", "r", "t", " ", "-", "/": 0.42
        case "m", "w", "M", "W", "@", "%", "…", "→": 0.98
        case "A"..."Z": 0.74
        default: displayWidth(String(scalar)) == 2 ? 1.1 : displayWidth(String(scalar)) == 0 ? 0 : 0.635
        }
      return sum + part * size
    }
  }

  /// Text that is safe between tags and in attributes: hostile characters made visible, markup escaped, and what XML 1.0 has no place for
  /// replaced.
  static func escaped(_ text: String) -> String {
    var out = ""
    out.reserveCapacity(text.utf8.count)
    for scalar in visible(text).unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\u{9}", "\u{A}", "\u{D}", "\u{20}"..."\u{D7FF}", "\u{E000}"..."\u{FFFD}", "\u{10000}"..."\u{10FFFF}":
        out.unicodeScalars.append(scalar)
      default: out += "\u{FFFD}"
      }
    }
    return out
  }
}
