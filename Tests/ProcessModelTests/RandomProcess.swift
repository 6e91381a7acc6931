import Core

/// Writes random process files that load: every kind of block, step and handler, conditions over fields that are often unset.
struct RandomProcess {
  var random: SeededGenerator
  var next = 0
  var steps: [String] = []
  var blocks: [String] = []

  init(random: SeededGenerator) { self.random = random }

  mutating func chance(_ one: Int, in all: Int) -> Bool { Int.random(in: 0..<all, using: &random) < one }

  mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }

  mutating func name(_ prefix: String) -> String {
    next += 1
    return "\(prefix)\(next)"
  }

  mutating func file(handlers: Bool) -> String {
    let body = list(depth: 0)
    let known = steps
    var on: [String] = []
    if handlers {
      for _ in 0..<Int.random(in: 0...4, using: &random) { on.append(handler(known)) }
    }
    return """
      { process: 'random', title: 'Random', owner: 'role:owner', purpose: 'test',
        triggers: [{ form: 'go', role: 'clerk' }],
        fields: { color: { enum: ['red', 'green', 'blue'] }, size: { type: 'integer', minimum: 0, maximum: 9 }, ok: { type: 'boolean' } },
        agents: { bot: { owner: 'user:ana', tools: ['complete_step', 'x.read'] } },
        tools: { 'x.read': { connector: 'command', command: ['true'], effect: 'read', facts: { seen: { type: 'boolean' } } } },
        steps: [\(body)],
        on: [\(on.joined(separator: ", "))] }
      """
  }

  mutating func list(depth: Int) -> String {
    (0..<Int.random(in: 1...3, using: &random)).map { _ in block(depth: depth) }.joined(separator: ", ")
  }

  mutating func block(depth: Int) -> String {
    let kind = depth >= 3 ? 0 : Int.random(in: 0..<8, using: &random)
    switch kind {
    case 4: return chance(1, in: 2) ? table() : choose(depth: depth)
    case 5: return chance(1, in: 3) ? each(depth: depth) : choose(depth: depth)
    case 6:
      let id = name("p")
      blocks.append(id)
      let lists = (0..<Int.random(in: 2...3, using: &random)).map { _ in "[\(list(depth: depth + 1))]" }
      let join = chance(1, in: 3) ? "join: \(Int.random(in: 1...lists.count, using: &random)), " : ""
      return "{ parallel: [\(lists.joined(separator: ", "))], \(join)id: '\(id)' }"
    case 7:
      let id = name("r")
      blocks.append(id)
      let max = Int.random(in: 1...3, using: &random)
      return "{ repeat: [\(step()), \(list(depth: depth + 1))], until: \"\(condition())\", max: \(max), id: '\(id)' }"
    case 3 where depth < 3:
      let id = name("w")
      blocks.append(id)
      return chance(1, in: 3) ? "{ wait: { until: 'now + duration(\"\(next)h\")' }, id: '\(id)' }" : "{ wait: 'PT\(next)H', id: '\(id)' }"
    default: return step()
    }
  }

  /// Work for each item of a list, which may be empty, and may not have to be done for all.
  mutating func each(depth: Int) -> String {
    let id = name("e")
    blocks.append(id)
    let list = pick(["[1, 2, 3]", "run.ok ? ['a', 'b'] : []", "[requester.id]"])
    let inner = name("s")
    steps.append(inner)
    let join = chance(1, in: 3) ? ", join: 2" : ""
    let order = pick(["parallel", "sequence"])
    let more = chance(1, in: 2) ? ", { wait: 'PT\(next)H', id: '\(name("w"))' }" : ""
    return
      "{ each: \"\(list)\", do: [{ step: '\(inner)', role: 'clerk', when: 'string(item) != \"2\"' }\(more)], max: 3\(join), order: '\(order)', id: '\(id)' }"
  }

  /// Rules that set a field, and now and then find none or several.
  mutating func table() -> String {
    let id = name("t")
    blocks.append(id)
    let otherwise = chance(1, in: 2) ? ", otherwise: { size: '9' }" : ""
    let hit = pick(["first", "any", "unique"])
    return """
      { table: '\(id)', hit: '\(hit)', inputs: ['run.color', 'run.ok'], rules: [
        { id: 'a', when: [\"== 'red'\", '-'], set: { size: '1' } }, { id: 'b', when: [\"in ['green']\", '== true'], set: { size: '2' } }]\(otherwise) }
      """
  }

  mutating func choose(depth: Int) -> String {
    let id = name("c")
    blocks.append(id)
    let first = condition()
    var branches = ["{ when: \"\(first)\", then: [\(list(depth: depth + 1))] }"]
    if chance(1, in: 3) {
      branches.append("{ when: \"run.size == \(id.count)\", then: [], id: '\(name("none"))' }")
    }
    if chance(2, in: 3) {
      branches.append(chance(1, in: 3) ? "{ otherwise: [], id: 'none' }" : "{ otherwise: [\(list(depth: depth + 1))] }")
    }
    return "{ \(chance(1, in: 3) ? "choose_all" : "choose"): [\(branches.joined(separator: ", "))], id: '\(id)' }"
  }

  mutating func condition() -> String {
    pick([
      "run.color == 'red'", "run.color != 'blue' && run.ok", "has(run.ok) && run.ok", "run.ok", "!run.ok", "run.color in ['red', 'green']",
    ])
  }

  mutating func step() -> String {
    let id = name("s")
    steps.append(id)
    switch Int.random(in: 0..<7, using: &random) {
    case 0: return "{ step: '\(id)', agent: 'bot', prompt: 'p', writes: [{ field: 'color', required: false }], fallback: 'role:clerk' }"
    case 1: return "{ step: '\(id)', tool: 'x.read' }"
    case 2: return "{ step: '\(id)', role: 'clerk', form: ['ok'], due: 'P1D', remind: 'PT9H', skip: 'role:owner' }"
    case 3: return "{ step: '\(id)', role: 'clerk', form: ['color', { field: 'size', required: false }] }"
    case 4: return "{ step: '\(id)', role: 'clerk', comment: 'required' }"
    default: return chance(1, in: 2) ? "{ step: '\(id)', role: 'clerk', when: \"\(condition())\" }" : "{ step: '\(id)', role: 'clerk' }"
    }
  }

  mutating func handler(_ known: [String]) -> String {
    let id = name("h")
    let step = pick(known.isEmpty ? blocks : known)
    let target = chance(1, in: 3) && !blocks.isEmpty ? pick(blocks) : step
    let body = chance(1, in: 4) ? "" : list(depth: 2)
    switch Int.random(in: 0..<8, using: &random) {
    case 6: return "{ timeout: 'PT\(next + 40)H', then: [\(body)], after: 'end', id: '\(id)' }"
    case 7: return "{ exception: 'cancelled', then: [\(list(depth: 2))], after: 'end', id: '\(id)' }"
    case 0: return "{ timeout: 'PT\(next)H', of: '\(step)', escalate: 'role:owner', id: '\(id)' }"
    case 1: return "{ timeout: 'PT\(next)H', of: '\(target)', then: [\(body)], id: '\(id)' }"
    case 2: return "{ exception: 'code\(next)', of: '\(step)', then: [\(body)], after: 'retry', max: 2, id: '\(id)' }"
    case 3: return "{ exception: 'code\(next)', then: [\(body)], after: 'end', id: '\(id)' }"
    case 4: return "{ exception: 'code\(next)', of: '\(target)', then: [\(body)], id: '\(id)' }"
    default: return "{ exception: '*', of: '\(target)', then: [\(body)], id: '\(id)' }"
    }
  }
}
