/// The layers of a ``LayeredLayout`` with the bends of long edges filled in: what is ordered and then given coordinates.
struct LayerGrid {
  /// A vertex, or the place where an edge passes a layer.
  struct Item {
    var layer: Int
    var left: Double
    var right: Double
    var height: Double
    var isVertex: Bool
  }

  /// The items through which one edge passes, from its upper to its lower vertex.
  struct Chain {
    var top: Int
    var bottom: Int
    var items: [Int]
    var label: Int
    var pointsUp: Bool
  }

  private struct Link {
    var item: Int
    var weight: Double
  }

  private(set) var items: [Item]
  private(set) var chains: [Chain] = []
  private(set) var layers: [[Int]]
  private(set) var x: [Double] = []
  private var above: [[Link]]
  private var below: [[Link]]
  private var slot: [Int] = []

  init(vertices: [LayeredLayout.Vertex], edges: [LayeredLayout.Edge], position: [Int], layer: [Int]) {
    items = vertices.indices.map {
      Item(layer: layer[$0], left: vertices[$0].left, right: vertices[$0].right, height: vertices[$0].height, isVertex: true)
    }
    above = Array(repeating: [], count: vertices.count)
    below = above
    layers = Array(repeating: [], count: (layer.max() ?? 0) + 1)
    let heaviest = edges.reduce(1) { max($0, $1.weight) }
    for edge in edges {
      let pointsUp = position[edge.from] > position[edge.to]
      let (top, bottom) = pointsUp ? (edge.to, edge.from) : (edge.from, edge.to)
      let (first, last) = (layer[top], layer[bottom])
      // The label sits in the middle odd layer.
      let labelLayer = first + (last - first) / 2 + ((last - first) / 2).isMultiple(of: 2).asInt
      var chain = Chain(top: top, bottom: bottom, items: [], label: -1, pointsUp: pointsUp)
      var previous = top
      let share = 1 + 4 * edge.weight / heaviest
      for level in (first + 1)..<last {
        let item = items.count
        let isLabel = level == labelLayer
        let half = isLabel ? max(4, edge.labelWidth / 2) : 4
        items.append(Item(layer: level, left: half, right: half, height: isLabel ? edge.labelHeight : 0, isVertex: false))
        above.append([])
        below.append([])
        if isLabel { chain.label = item }
        chain.items.append(item)
        link(previous, item, (items[previous].isVertex ? 2 : 8) * share)
        previous = item
      }
      link(previous, bottom, (items[previous].isVertex ? 1 : 2) * share)
      chains.append(chain)
    }
  }

  private mutating func link(_ upper: Int, _ lower: Int, _ weight: Double) {
    below[upper].append(Link(item: lower, weight: weight))
    above[lower].append(Link(item: upper, weight: weight))
  }

  /// Room below a layer: more where edges run far to the side, so that they do not get flat.
  func gap(below layer: Int) -> Double {
    let far = layers[layer].reduce(0.0) { far, item in below[item].reduce(far) { max($0, abs(x[$1.item] - x[item])) } }
    return 14 + min(60, far * 0.12)
  }

  // MARK: order

  /// Orders every layer so that few edges cross: sweeps by barycentre with exchanges of neighbours; the best order seen is kept.
  mutating func order() {
    fill()
    var best = (crossings: crossings(), layers: layers)
    var idle = 0
    for sweep in 0..<32 where best.crossings > 0 && idle < 8 {
      let down = sweep.isMultiple(of: 2)
      for layer in down ? Array(layers.indices.dropFirst()) : layers.indices.dropLast().reversed() {
        sortByBarycentre(layer, down ? above : below, tiesTurn: sweep % 4 > 1)
      }
      exchangeNeighbours()
      let count = crossings()
      idle = count < best.crossings ? 0 : idle + 1
      if count < best.crossings { best = (count, layers) }
    }
    layers = best.layers
    number()
  }

  /// A first order: depth first from the top, heavy edges first, so that chains stand together.
  private mutating func fill() {
    var seen = [Bool](repeating: false, count: items.count)
    let roots = items.indices.filter { above[$0].isEmpty }.stableSorted { items[$0].layer < items[$1].layer }
    for root in roots {
      var stack = [root]
      while let item = stack.popLast() {
        guard !seen[item] else { continue }
        seen[item] = true
        layers[items[item].layer].append(item)
        for next in below[item].stableSorted(by: { $0.weight < $1.weight }) where !seen[next.item] { stack.append(next.item) }
      }
    }
    number()
  }

  private mutating func number() {
    slot = Array(repeating: 0, count: items.count)
    for layer in layers { for (place, item) in layer.enumerated() { slot[item] = place } }
  }

  private mutating func sortByBarycentre(_ layer: Int, _ neighbours: [[Link]], tiesTurn: Bool) {
    let keys = layers[layer].map { item -> Double in
      let links = neighbours[item]
      guard !links.isEmpty else { return Double(slot[item]) }
      return links.reduce(0) { $0 + Double(slot[$1.item]) } / Double(links.count)
    }
    let order = keys.indices.sorted { a, b in keys[a] != keys[b] ? keys[a] < keys[b] : tiesTurn ? a > b : a < b }
    layers[layer] = order.map { layers[layer][$0] }
    for (place, item) in layers[layer].enumerated() { slot[item] = place }
  }

  private mutating func exchangeNeighbours() {
    for _ in 0..<4 {
      var improved = false
      for layer in layers.indices {
        for place in layers[layer].indices.dropFirst() {
          let (a, b) = (layers[layer][place - 1], layers[layer][place])
          let now = pairCrossings(above[a], above[b]) + pairCrossings(below[a], below[b])
          let then = pairCrossings(above[b], above[a]) + pairCrossings(below[b], below[a])
          guard then < now else { continue }
          layers[layer].swapAt(place - 1, place)
          (slot[a], slot[b]) = (place, place - 1)
          improved = true
        }
      }
      guard improved else { return }
    }
  }

  /// Crossings among the edges of two neighbours when the first stands left of the second.
  private func pairCrossings(_ left: [Link], _ right: [Link]) -> Int {
    left.reduce(0) { sum, a in right.reduce(sum) { slot[$1.item] < slot[a.item] ? $0 + 1 : $0 } }
  }

  /// All crossings of the present order, counted layer by layer with a tree of partial sums.
  private func crossings() -> Int {
    var total = 0
    for layer in layers.indices.dropLast() {
      let size = layers[layer + 1].count
      var tree = [Int](repeating: 0, count: size + 1)
      var placed = 0
      for item in layers[layer] {
        let targets = below[item].map { slot[$0.item] }.sorted()
        for target in targets {
          var index = target + 1
          var notRight = 0
          while index > 0 {
            notRight += tree[index]
            index -= index & -index
          }
          total += placed - notRight
        }
        for target in targets {
          var index = target + 1
          while index <= size {
            tree[index] += 1
            index += index & -index
          }
          placed += 1
        }
      }
    }
    return total
  }

  // MARK: coordinates

  /// Chooses the horizontal places: each layer in turn moves as near to its neighbours as order and spacing allow.
  mutating func placeHorizontally() {
    x = Array(repeating: 0, count: items.count)
    for layer in layers {
      var cursor = 0.0
      for (place, item) in layer.enumerated() {
        if place > 0 { cursor += separation(layer[place - 1], item) }
        x[item] = cursor
      }
      for item in layer { x[item] -= cursor / 2 }
    }
    for round in 0..<40 {
      let both = round >= 24
      let down = round.isMultiple(of: 2)
      for layer in down ? Array(layers.indices) : layers.indices.reversed() {
        settle(layer, useAbove: both || down, useBelow: both || !down)
      }
    }
    straighten()
  }

  private func separation(_ left: Int, _ right: Int) -> Double {
    items[left].right + items[right].left + (items[left].isVertex && items[right].isVertex ? 28 : 14)
  }

  /// The least squares places of one layer under its order and spacing: pooling of adjacent violators.
  private mutating func settle(_ layer: Int, useAbove: Bool, useBelow: Bool) {
    struct Block {
      var sum: Double
      var weight: Double
      var count: Int
    }
    var blocks: [Block] = []
    var offsets: [Double] = []
    var offset = 0.0
    for (place, item) in layers[layer].enumerated() {
      if place > 0 { offset += separation(layers[layer][place - 1], item) }
      offsets.append(offset)
      var (sum, weight) = (x[item] * 0.05, 0.05)
      if useAbove { for link in above[item] { (sum, weight) = (sum + x[link.item] * link.weight, weight + link.weight) } }
      if useBelow { for link in below[item] { (sum, weight) = (sum + x[link.item] * link.weight, weight + link.weight) } }
      blocks.append(Block(sum: sum - offset * weight, weight: weight, count: 1))
      while blocks.count > 1 {
        let (last, previous) = (blocks[blocks.count - 1], blocks[blocks.count - 2])
        guard previous.sum / previous.weight > last.sum / last.weight else { break }
        blocks.removeLast(2)
        blocks.append(Block(sum: previous.sum + last.sum, weight: previous.weight + last.weight, count: previous.count + last.count))
      }
    }
    var place = 0
    for block in blocks {
      for _ in 0..<block.count {
        x[layers[layer][place]] = block.sum / block.weight + offsets[place]
        place += 1
      }
    }
  }

  /// Gives runs of bends one common place where nothing is in the way: long edges become straight.
  private mutating func straighten() {
    for chain in chains where chain.items.count > 2 {
      var low = -Double.infinity
      var high = Double.infinity
      var run: [Int] = []
      func close(_ x: inout [Double]) {
        guard run.count > 1 else { return }
        let mean = run.reduce(0) { $0 + x[$1] } / Double(run.count)
        for item in run { x[item] = min(max(mean, low), high) }
      }
      for item in chain.items {
        let (least, most) = room(item)
        if max(low, least) > min(high, most) {
          close(&x)
          (low, high, run) = (least, most, [item])
        } else {
          (low, high) = (max(low, least), min(high, most))
          run.append(item)
        }
      }
      close(&x)
    }
  }

  /// Between which places an item may move without touching its neighbours.
  private func room(_ item: Int) -> (Double, Double) {
    let layer = layers[items[item].layer]
    let place = slot[item]
    let least = place > 0 ? x[layer[place - 1]] + separation(layer[place - 1], item) : -Double.infinity
    let most = place + 1 < layer.count ? x[layer[place + 1]] - separation(item, layer[place + 1]) : Double.infinity
    return (least, max(least, most))
  }
}

extension Bool {
  fileprivate var asInt: Int { self ? 1 : 0 }
}
