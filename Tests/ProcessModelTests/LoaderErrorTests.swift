import Core
import ProcessModel
import Testing

/// What people are told about a process file that cannot be used: every problem, where it is, and what was probably meant.
@Suite("Loader errors")
struct LoaderErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// What replaces a line of ``file``: the line's number and its new text.
    let change: (line: Int, text: String)
    let says: [String]
    var testDescription: String { name }
  }

  /// A file without a problem, one thing a line.
  static let file = [
    "{ process: 'p', title: 'P', purpose: 'test',",  // 1
    "  owner: 'role:owner',",
    "  documents: ['policy.md'],",
    "  triggers: [{ form: 'go', role: 'clerk', fields: ['vendor'] }],",
    "  fields: {",  // 5
    "    vendor: { type: 'string' },",
    "    amount: { type: 'number', minimum: 0 },",
    "    risk: { enum: ['low', 'medium', 'high'] },",
    "  },",
    "  agents: { analyst: { owner: 'user:ana', tools: ['complete_step', 'crm.lookup'] } },",  // 10
    "  tools: {",
    "    'crm.lookup': { connector: 'command', command: ['./crm'], effect: 'read' },",
    "    'erp.activate': { connector: 'command', command: ['./erp'], effect: 'external',",
    "      arguments: { type: 'object', properties: { vendor: { type: 'string' }, amount: { type: 'number' } }, required: ['vendor'] } },",
    "  },",  // 15
    "  steps: [",
    "    { step: 'collect', role: 'clerk', form: ['amount'] },",
    "    { step: 'classify', agent: 'analyst', prompt: 'classify', writes: ['risk'] },",
    "    { choose: [ { when: \"run.risk == 'low'\", then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ], id: 'by-risk' },",
    "    { step: 'activate', tool: 'erp.activate', arguments: { vendor: 'run.vendor' } },",  // 20
    "  ],",
    "  on: [{ timeout: 'P2D', of: 'collect', escalate: 'role:owner' }],",
    "  controls: [{ id: 'C1', statement: 's', clause: 'policy.md#3.2', before: 'tool:erp.activate', when: \"run.risk == 'high'\",",
    "    require: { approval: { roles: ['owner'], count: 1 } } }],",
    "}",  // 25
  ]

  static let context = ProcessContext(
    roles: ["owner": 1, "clerk": 3, "ghost": 0], users: ["ana", "ben"], prompts: ["classify"], models: ["default"],
    documents: ["policy.md": ["1", "3.2"]])

  static func problems(_ change: (line: Int, text: String)?) -> [String] {
    var lines = file
    if let change { lines[change.line - 1] = change.text }
    do throws(Diagnostics) {
      let loaded = try ProcessDefinition.load(Array(lines.joined(separator: "\n").utf8), file: "p.json5", context: context)
      return loaded.warnings.map(\.description)
    } catch {
      return error.all.map(\.description)
    }
  }

  @Test func theFileItselfHasNoProblem() { #expect(Self.problems(nil) == []) }

  @Test(arguments: cases)
  func says(_ test: Case) {
    #expect(Self.problems(test.change) == test.says)
  }
}
