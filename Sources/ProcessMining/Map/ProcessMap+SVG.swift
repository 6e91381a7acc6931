import Core

extension ProcessMap {
  /// The picture as one SVG 1.1 document in UTF-8: no script, no link, no font or image from outside.
  ///
  /// It follows the reader's light or dark setting. The same graph and options give the same bytes.
  ///
  /// - Complexity: Bounded by ``Options``: some milliseconds for a few dozen activities.
  public func svg() -> String {
    var picture = SVGText()
    let subtitle = subtitleText()
    guard !shown.isEmpty else {
      picture.open(width: 480, height: 110, title: options.title, description: "no activity was completed")
      picture.heading(options.title, ["no activity was completed"])
      picture.close()
      return picture.text
    }
    let boxes = shown.map { ActivityBox(graph.nodes[$0], loop: loop(at: $0)) }
    let place = Dictionary(uniqueKeysWithValues: shown.enumerated().map { ($0.element, $0.offset + 2) })
    let pill = LayeredLayout.Vertex(left: 46, right: 46, height: 30)
    var edges: [LayeredLayout.Edge] = []
    var drawn: [Arrow] = []
    func index(_ end: Arrow.End) -> Int {
      switch end {
      case .start: 0
      case .end: 1
      case .activity(let node): place[node] ?? 0
      }
    }
    for arrow in arrows where arrow.from != arrow.to {
      let label = Self.label(arrow)
      edges.append(
        LayeredLayout.Edge(
          from: index(arrow.from), to: index(arrow.to), weight: Double(arrow.count), labelWidth: SVGText.width(label, size: 11) + 14,
          labelHeight: 17))
      drawn.append(arrow)
    }
    let layout = LayeredLayout(vertices: [pill, pill] + boxes.map(\.vertex), edges: edges)

    let margin = 24.0
    let header = 54.0 + 16 * Double(subtitle.count)
    let headingWidth = max(
      SVGText.width(visible(options.title), size: 16) * 1.06, subtitle.map { SVGText.width($0, size: 11) }.max() ?? 0)
    let width = max(layout.width, headingWidth) + 2 * margin
    picture.open(width: width, height: layout.height + header + margin, title: options.title, description: subtitle.joined(separator: " "))
    picture.heading(options.title, subtitle)
    picture.group(x: margin + (width - 2 * margin - layout.width) / 2, y: header)
    let most = max(1, arrows.reduce(0) { max($0, $1.count) })
    for (arrow, route) in zip(drawn, layout.routes) { picture.arrow(route, arrow, most: most, title: tooltip(arrow)) }
    picture.pill("start", at: layout.centres[0], style: "start")
    picture.pill("end", at: layout.centres[1], style: "end")
    let busiest = max(1, shown.reduce(0) { max($0, graph.nodes[$1].count) })
    for (offset, box) in boxes.enumerated() {
      picture.box(box, at: layout.centres[offset + 2], share: Double(box.node.count) / Double(busiest), most: most)
    }
    // Labels come last, so that no line runs over them.
    for (arrow, route) in zip(drawn, layout.routes) { picture.label(Self.label(arrow), at: route.label, pointsUp: route.pointsUp) }
    picture.endGroup()
    picture.close()
    return picture.text
  }

  private func loop(at node: Int) -> Arrow? { arrows.first { $0.from == .activity(node) && $0.to == .activity(node) } }

  /// What an arrow says: how often, and the median time.
  static func label(_ arrow: Arrow) -> String {
    let count = SVGText.grouped(arrow.count)
    return arrow.duration.map { "\(count) · \(durationText(milliseconds: $0.median))" } ?? count
  }

  private func name(_ end: Arrow.End) -> String {
    switch end {
    case .start: "start"
    case .end: "end"
    case .activity(let node): graph.nodes[node].activity
    }
  }

  private func tooltip(_ arrow: Arrow) -> String {
    var text = "\(name(arrow.from)) → \(name(arrow.to)): \(SVGText.grouped(arrow.count)) times"
    if let time = arrow.duration {
      text += "; median \(durationText(milliseconds: time.median)), 90 % within \(durationText(milliseconds: time.p90))"
      text += ", \(durationText(milliseconds: time.minimum)) to \(durationText(milliseconds: time.maximum))"
    }
    return text
  }

  private func subtitleText() -> [String] {
    let cases = "\(SVGText.grouped(graph.cases)) case\(graph.cases == 1 ? "" : "s")"
    let events = "\(SVGText.grouped(graph.events)) event\(graph.events == 1 ? "" : "s")"
    var lines = ["\(cases), \(events). Arrows: how many times · median time. Dashed: against the main direction."]
    if shown.count < graph.nodes.count || arrows.count < arrowCount {
      lines.append(
        "Shown: \(shown.count) of \(graph.nodes.count) activities, \(arrows.count) of \(arrowCount) arrows between them (the most frequent)."
      )
    }
    return lines
  }
}

/// The box of one activity: its wrapped name, how often it was completed, and the loop to itself.
struct ActivityBox {
  let node: DirectlyFollowsGraph.Node
  let loop: ProcessMap.Arrow?
  let lines: [String]
  let count: String
  let halfWidth: Double
  let height: Double

  static let loopWidth = 22.0

  init(_ node: DirectlyFollowsGraph.Node, loop: ProcessMap.Arrow?) {
    self.node = node
    self.loop = loop
    let name = node.activity.isEmpty ? "(no name)" : visible(node.activity)
    var lines = TextTable.wrap(name, 26)
    if lines.count > 3 {
      // The tooltip has the whole name.
      lines = Array(lines[..<3])
      lines[2] += "…"
    }
    self.lines = lines
    count = "\(SVGText.grouped(node.count)) ×"
    let text = max(lines.map { SVGText.width($0, size: 13) }.max() ?? 0, SVGText.width(count, size: 11))
    halfWidth = max(44, text / 2 + 14)
    height = Double(lines.count) * 16 + 28
  }

  var vertex: LayeredLayout.Vertex {
    let loopRoom = loop.map { Self.loopWidth + 8 + SVGText.width(ProcessMap.label($0), size: 11) } ?? 0
    return LayeredLayout.Vertex(left: halfWidth, right: halfWidth + loopRoom, height: height)
  }
}
