/// Places the vertices of a directed graph in layers from top to bottom, so that most edges point down, few cross, and every edge has room
/// for its label.
///
/// The steps of Sugiyama: break cycles (a few edges will point up), put vertices into layers by longest path, give long edges a bend in
/// every layer they pass, order each layer by barycentres, then choose coordinates. Layers of vertices and layers of labels alternate.
/// The same input gives the same layout.
///
/// - SeeAlso: K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures", IEEE Trans. SMC 11(2),
///   1981, doi:10.1109/TSMC.1981.4308636; P. Eades, X. Lin, W. Smyth, "A fast and effective heuristic for the feedback arc set problem",
///   1993, doi:10.1016/0020-0190(93)90079-O.
struct LayeredLayout {
  /// A box to place.
  ///
  /// Its left and right halves may differ, since a loop hangs on the right.
  struct Vertex {
    var left: Double
    var right: Double
    var height: Double
  }

  /// An edge between two different vertices.
  struct Edge {
    var from: Int
    var to: Int
    var weight: Double
    var labelWidth: Double
    var labelHeight: Double
  }

  struct Point: Equatable {
    var x: Double
    var y: Double
  }

  /// Where an edge runs: always from the upper to the lower end, whichever way it points.
  struct Route {
    var points: [Point]
    var label: Point
    /// The edge points against the layers: its arrow is at the first point.
    var pointsUp: Bool
  }

  private(set) var centres: [Point] = []
  private(set) var routes: [Route] = []
  private(set) var width = 0.0
  private(set) var height = 0.0

  let vertices: [Vertex]
  let edges: [Edge]

  init(vertices: [Vertex], edges: [Edge]) {
    self.vertices = vertices
    self.edges = edges
    guard !vertices.isEmpty else { return }
    let position = Self.feedbackOrder(vertices.count, edges)
    let layers = Self.layers(vertices.count, edges, position)
    var grid = LayerGrid(vertices: vertices, edges: edges, position: position, layer: layers)
    grid.order()
    grid.placeHorizontally()
    place(grid)
  }

  /// An order of the vertices against which the edges point with as little weight as could be found.
  static func feedbackOrder(_ count: Int, _ edges: [Edge]) -> [Int] {
    var outgoing = [Double](repeating: 0, count: count)
    var incoming = [Double](repeating: 0, count: count)
    for edge in edges {
      outgoing[edge.from] += edge.weight
      incoming[edge.to] += edge.weight
    }
    var head: [Int] = []
    var tail: [Int] = []
    var remaining = Set(0..<count)
    func remove(_ vertex: Int) {
      remaining.remove(vertex)
      for edge in edges {
        if edge.from == vertex, remaining.contains(edge.to) { incoming[edge.to] -= edge.weight }
        if edge.to == vertex, remaining.contains(edge.from) { outgoing[edge.from] -= edge.weight }
      }
    }
    while !remaining.isEmpty {
      let left = remaining.sorted()
      if let sink = left.last(where: { outgoing[$0] < 0.5 }) {
        tail.append(sink)
        remove(sink)
      } else if let source = left.first(where: { incoming[$0] < 0.5 }) {
        head.append(source)
        remove(source)
      } else {
        var best = left[0]
        for vertex in left where outgoing[vertex] - incoming[vertex] > outgoing[best] - incoming[best] { best = vertex }
        head.append(best)
        remove(best)
      }
    }
    var order = head + tail.reversed()
    sift(&order, edges)
    var position = [Int](repeating: 0, count: count)
    for (place, vertex) in order.enumerated() { position[vertex] = place }
    return position
  }

  /// Moves single vertices to where the least weight points back, until that helps no more.
  private static func sift(_ order: inout [Int], _ edges: [Edge]) {
    var neighbours = [[(other: Int, weight: Double)]](repeating: [], count: order.count)
    for edge in edges {
      neighbours[edge.from].append((edge.to, edge.weight))
      neighbours[edge.to].append((edge.from, -edge.weight))
    }
    for _ in 0..<8 {
      var improved = false
      for vertex in 0..<order.count {
        guard let from = order.firstIndex(of: vertex) else { continue }
        var pull = [Double](repeating: 0, count: order.count)
        for neighbour in neighbours[vertex] { pull[neighbour.other] += neighbour.weight }
        // Passing a vertex that this one points at makes that edge point back, and the other way round.
        var (best, target, cost) = (-1e-9, from, 0.0)
        for place in stride(from: from + 1, to: order.count, by: 1) {
          cost += pull[order[place]]
          if cost < best { (best, target) = (cost, place) }
        }
        cost = 0
        for place in stride(from: from - 1, through: 0, by: -1) {
          cost -= pull[order[place]]
          if cost < best { (best, target) = (cost, place) }
        }
        guard target != from else { continue }
        order.remove(at: from)
        order.insert(vertex, at: target)
        improved = true
      }
      guard improved else { return }
    }
  }

  /// Even layers for the vertices, so that every edge passes at least one odd layer, where its label goes.
  static func layers(_ count: Int, _ edges: [Edge], _ position: [Int]) -> [Int] {
    var upper = [[(vertex: Int, weight: Double)]](repeating: [], count: count)
    var lower = upper
    for edge in edges {
      let (top, bottom) = position[edge.from] < position[edge.to] ? (edge.from, edge.to) : (edge.to, edge.from)
      upper[bottom].append((top, edge.weight))
      lower[top].append((bottom, edge.weight))
    }
    var layer = [Int](repeating: 0, count: count)
    let order = (0..<count).sorted { position[$0] < position[$1] }
    for vertex in order { layer[vertex] = upper[vertex].reduce(0) { max($0, layer[$1.vertex] + 2) } }
    // Then each vertex goes to the end of its range that makes the heavier edges short.
    for _ in 0..<16 {
      var moved = false
      for vertex in order.reversed() where !lower[vertex].isEmpty && !upper[vertex].isEmpty {
        let low = upper[vertex].reduce(0) { max($0, layer[$1.vertex] + 2) }
        let high = lower[vertex].reduce(Int.max) { min($0, layer[$1.vertex] - 2) }
        let pullUp = upper[vertex].reduce(0) { $0 + $1.weight }
        let pullDown = lower[vertex].reduce(0) { $0 + $1.weight }
        let target = pullDown > pullUp ? high : low
        if target != layer[vertex] {
          layer[vertex] = target
          moved = true
        }
      }
      guard moved else { break }
    }
    return layer
  }

  /// Turns the grid into coordinates: layers get their heights, edges their ports and routes.
  private mutating func place(_ grid: LayerGrid) {
    var tops: [Double] = []
    var bottoms: [Double] = []
    var cursor = 0.0
    for layer in grid.layers.indices {
      let height = grid.layers[layer].reduce(0) { max($0, grid.items[$1].height) }
      tops.append(cursor)
      bottoms.append(cursor + height)
      cursor += height + grid.gap(below: layer)
    }
    height = bottoms.last ?? 0
    let leftmost = grid.items.indices.reduce(Double.infinity) { min($0, grid.x[$1] - grid.items[$1].left) }
    width = grid.items.indices.reduce(0) { max($0, grid.x[$1] + grid.items[$1].right - leftmost) }
    func middle(_ item: Int) -> Point {
      let layer = grid.items[item].layer
      return Point(x: grid.x[item] - leftmost, y: (tops[layer] + bottoms[layer]) / 2)
    }
    centres = vertices.indices.map(middle)

    var bottomPorts = [[(edge: Int, x: Double)]](repeating: [], count: vertices.count)
    var topPorts = bottomPorts
    for (edge, chain) in grid.chains.enumerated() {
      bottomPorts[chain.top].append((edge, grid.x[chain.items.first ?? chain.bottom] - leftmost))
      topPorts[chain.bottom].append((edge, grid.x[chain.items.last ?? chain.top] - leftmost))
    }
    var start = [Double](repeating: 0, count: edges.count)
    var end = start
    for vertex in vertices.indices {
      for (edge, x) in ports(vertex, bottomPorts[vertex]) { start[edge] = x }
      for (edge, x) in ports(vertex, topPorts[vertex]) { end[edge] = x }
    }
    routes = grid.chains.enumerated().map { edge, chain in
      var points = [Point(x: start[edge], y: centres[chain.top].y + vertices[chain.top].height / 2)]
      var label = points[0]
      for item in chain.items {
        let (layer, at) = (grid.items[item].layer, middle(item))
        if item == chain.label { label = at }
        if layer.isMultiple(of: 2) {
          points.append(Point(x: at.x, y: tops[layer]))
          points.append(Point(x: at.x, y: bottoms[layer]))
        } else {
          points.append(at)
        }
      }
      points.append(Point(x: end[edge], y: centres[chain.bottom].y - vertices[chain.bottom].height / 2))
      return Route(points: points, label: label, pointsUp: chain.pointsUp)
    }
  }

  /// Spreads the ends of edges along one side of a vertex, in the order in which they come from there.
  private func ports(_ vertex: Int, _ ends: [(edge: Int, x: Double)]) -> [(edge: Int, x: Double)] {
    let sorted = ends.stableSorted { $0.x < $1.x }
    let half = min(vertices[vertex].left, vertices[vertex].right)
    let spacing = min(24, 1.4 * half / Double(max(1, sorted.count)))
    return sorted.enumerated().map { index, end in
      (end.edge, centres[vertex].x + (Double(index) - Double(sorted.count - 1) / 2) * spacing)
    }
  }
}
