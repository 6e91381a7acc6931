extension LoaderErrorTests {
  static let cases: [Case] = rows.map { Case(name: $0.0, change: ($0.1, $0.2), says: $0.3) }

  private static let rows: [(String, Int, String, [String])] = [
    (
      "a syntax error", 2,
      "  owner: 'role:owner' title",
      [
        "p.json5:2:23: expected `,` or `}`, found `t`"
      ]
    ),
    (
      "a duplicate key", 2,
      "  owner: 'role:owner', title: 'Q',",
      [
        "p.json5:2:24: the key `title` appears twice in one object"
      ]
    ),
    (
      "an unknown key", 3,
      "  documnets: ['policy.md'],",
      [
        "p.json5:3:3: unknown key `documnets`\nhint: did you mean `documents`?"
      ]
    ),
    (
      "a missing key", 2,
      "",
      [
        "p.json5:1:1: a process needs `owner`"
      ]
    ),
    (
      "an owner that is no principal", 2,
      "  owner: 'procurement',",
      [
        "p.json5:2:10: `owner` must be a role or a person, not `procurement`\nhint: write \"role:procurement\" or \"user:ana\""
      ]
    ),
    (
      "an unknown role", 2,
      "  owner: 'role:ownr',",
      [
        "p.json5:2:16: unknown role `ownr`\nhint: did you mean `owner`?"
      ]
    ),
    (
      "an unknown user", 2,
      "  owner: 'user:anna',",
      [
        "p.json5:2:16: unknown user `anna`\nhint: did you mean `ana`?"
      ]
    ),
    (
      "a role that nobody holds", 2,
      "  owner: 'role:ghost',",
      [
        "p.json5:2:16: warning: nobody holds role `ghost`"
      ]
    ),
    (
      "a document that is not there", 3,
      "  documents: ['policy.md', 'sop.md'],",
      [
        "p.json5:3:28: unknown document `sop.md`\nhint: known here: policy.md"
      ]
    ),
    (
      "a trigger of two kinds", 4,
      "  triggers: [{ form: 'go', event: 'x', role: 'clerk' }],",
      [
        "p.json5:4:14: a trigger has one of `form`, `schedule` or `event`"
      ]
    ),
    (
      "a trigger's unknown field", 4,
      "  triggers: [{ form: 'go', role: 'clerk', fields: ['vendr'] }],",
      [
        "p.json5:4:52: unknown field `vendr`\nhint: did you mean `vendor`?"
      ]
    ),
    (
      "a trigger's bad schedule", 4,
      "  triggers: [{ schedule: '0 25 * * *' }, { form: 'go', role: 'clerk', fields: ['vendor'] }],",
      [
        "p.json5:4:26: `0 25 * * *` is not a schedule: `25` is no hour from 0 to 23\nhint: minute, hour, day, month and weekday, as in \"0 9 1 * *\""
      ]
    ),
    (
      "a field of unknown type", 7,
      "    amount: { type: 'money' },",
      [
        "p.json5:7:21: unknown type `money`\nhint: known here: array, boolean, integer, number, object, string"
      ]
    ),
    (
      "a field with a bad name", 7,
      "    'a mount': { type: 'number' },",
      [
        "p.json5:7:5: the field `a mount` cannot have ` `: letters, digits, `_` and `-` make a name, and a letter or `_` begins it"
      ]
    ),
    (
      "a field with a bad bound", 7,
      "    amount: { type: 'number', minimum: 'zero' },",
      [
        "p.json5:7:40: field `amount`: in the schema: `minimum` must be a number, not a string"
      ]
    ),
    (
      "a field with another type's key", 7,
      "    amount: { type: 'number', maxLength: 3 },",
      [
        "p.json5:7:31: `maxLength` is for a text, and field `amount` is of type `number`"
      ]
    ),
    (
      "a field with a bad pattern", 6,
      "    vendor: { type: 'string', pattern: '(' },",
      [
        "p.json5:6:40: field `vendor`: in the schema: `pattern`: in the pattern at character 1: `(` is never closed"
      ]
    ),
    (
      "a field with mixed choices", 8,
      "    risk: { enum: ['low', 'medium', 3] },",
      [
        "p.json5:8:19: `enum` of field `risk` must list texts, numbers or truth values, all of one type"
      ]
    ),
    (
      "a field that nothing uses", 7,
      "    amount: { type: 'number', minimum: 0 }, extra: { type: 'string' },",
      [
        "p.json5:7:45: warning: field `extra` is not used: no form, agent, table or condition names it"
      ]
    ),
    (
      "an agent's unknown tool", 10,
      "  agents: { analyst: { owner: 'user:ana', tools: ['complete_step', 'crm.lokup'] } },",
      [
        "p.json5:10:68: unknown tool `crm.lokup`\nhint: did you mean `crm.lookup`?"
      ]
    ),
    (
      "an agent that cannot complete its step", 10,
      "  agents: { analyst: { owner: 'user:ana', tools: ['crm.lookup'] } },",
      [
        "p.json5:18:32: agent `analyst` cannot complete step `classify`: its `tools` do not name `complete_step`"
      ]
    ),
    (
      "an agent's unknown model", 10,
      "  agents: { analyst: { owner: 'user:ana', model: 'defualt', tools: ['complete_step', 'crm.lookup'] } },",
      [
        "p.json5:10:50: unknown model `defualt`\nhint: did you mean `default`?"
      ]
    ),
    (
      "an agent's bad cost", 10,
      "  agents: { analyst: { owner: 'user:ana', tools: ['complete_step', 'crm.lookup'], budget: { cost: '5 EUR' } } },",
      [
        "p.json5:10:99: `5 EUR` is not an amount of money\nhint: write US dollars as in \"0.05 USD\", with at most six decimals"
      ]
    ),
    (
      "a tool without a connector's name", 12,
      "    'lookup': { connector: 'command', command: ['./crm'], effect: 'read' },",
      [
        "p.json5:10:68: unknown tool `crm.lookup`\nhint: known here: ask_human, attach_evidence, comment, complete_step, erp.activate, raise_exception, set_fields",
        "p.json5:12:5: the tool `lookup` needs a connector's name, a dot and an operation\nhint: such as `erp.activate_vendor`; at most 128 characters",
      ]
    ),
    (
      "a tool with a foreign letter", 12,
      "    'crm.lооkup': { connector: 'command', command: ['./crm'], effect: 'read' },",
      [
        "p.json5:10:68: unknown tool `crm.lookup`\nhint: known here: ask_human, attach_evidence, comment, complete_step, erp.activate, raise_exception, set_fields",
        "p.json5:12:5: the tool `crm.lооkup` cannot have `о`: letters, digits, `_`, `.` and `-` make a tool's name",
      ]
    ),
    (
      "two tools that look alike", 12,
      "    'crm.lookup': { connector: 'command', command: ['./crm'], effect: 'read' }, 'crm.1ookup': { connector: 'command', command: ['./crm'], effect: 'read' },",
      [
        "p.json5:12:81: the tool `crm.1ookup` looks like the tool `crm.lookup`\nhint: give one another name"
      ]
    ),
    (
      "a tool with another connector's key", 12,
      "    'crm.lookup': { connector: 'command', command: ['./crm'], url: 'https://x', effect: 'read' },",
      [
        "p.json5:12:63: `url` is not for tool `crm.lookup`, whose connector is `command`"
      ]
    ),
    (
      "a tool of unknown effect", 12,
      "    'crm.lookup': { connector: 'command', command: ['./crm'], effect: 'reads' },",
      [
        "p.json5:12:71: unknown effect `reads`\nhint: did you mean `read`?"
      ]
    ),
    (
      "a sink that is no argument", 13,
      "    'erp.activate': { connector: 'command', command: ['./erp'], effect: 'external', sink: ['vendr'],",
      [
        "p.json5:13:92: unknown argument `vendr`\nhint: did you mean `vendor`?"
      ]
    ),
    (
      "a schema that is none", 14,
      "      arguments: { type: 'object', properties: { vendor: { type: 'txt' }, amount: { type: 'number' } }, required: ['vendor'] } },",
      [
        "p.json5:14:66: `arguments` of tool `erp.activate`: in the schema at `/properties/vendor`: `type` does not know `txt`\nhint: the types are string, number, integer, boolean, array, object, null"
      ]
    ),
    (
      "a step for nobody", 17,
      "    { step: 'collect', form: ['amount'] },",
      [
        "p.json5:17:5: step `collect` needs one of `role`, `agent` or `tool`"
      ]
    ),
    (
      "a step for two", 17,
      "    { step: 'collect', role: 'clerk', agent: 'analyst', form: ['amount'] },",
      [
        "p.json5:17:39: step `collect` has only one of `role` and `agent`"
      ]
    ),
    (
      "a condition that never holds", 17,
      "    { step: 'collect', role: 'clerk', form: ['amount'], when: \"run.risk == 'low' && run.risk == 'high'\" },",
      [
        "p.json5:17:63: step `collect` can never be reached: `run.risk == 'low' && run.risk == 'high'` is never true"
      ]
    ),
    (
      "a condition over an unknown field", 17,
      "    { step: 'collect', role: 'clerk', form: ['amount'], when: \"run.rsk == 'low'\" },",
      [
        "p.json5:17:68: unknown field `rsk` of `run`\nhint: did you mean `risk`?"
      ]
    ),
    (
      "who may skip a step is no principal", 17,
      "    { step: 'collect', role: 'clerk', form: ['amount'], skip: 'owner' },",
      [
        "p.json5:17:63: `skip` must be a role or a person, not `owner`\nhint: write \"role:owner\" or \"user:ana\""
      ]
    ),
    (
      "a comment that is neither needed nor not", 17,
      "    { step: 'collect', role: 'clerk', form: ['amount'], comment: 'requierd' },",
      [
        "p.json5:17:66: unknown comment `requierd`\nhint: did you mean `required`?"
      ]
    ),
    (
      "a comment of a tool", 20,
      "    { step: 'activate', tool: 'erp.activate', arguments: { vendor: 'run.vendor' }, comment: 'required' },",
      [
        "p.json5:20:84: `comment` is for people and agents, and step `activate` calls a tool"
      ]
    ),
    (
      "a step that may be skipped sets nothing for sure", 18,
      "    { step: 'classify', agent: 'analyst', prompt: 'classify', writes: ['risk'], skip: 'role:owner' },",
      [
        "p.json5:19:128: warning: `run.risk == 'low'` at `by-risk` reads field `risk`, which may have no value there\nhint: ask for it before, or write `has(run.risk) && …`"
      ]
    ),
    (
      "a step's unknown key", 17,
      "    { step: 'collect', role: 'clerk', form: ['amount'], evidnce: [] },",
      [
        "p.json5:17:57: unknown key `evidnce`\nhint: did you mean `evidence`?"
      ]
    ),
    (
      "a step's unknown role", 17,
      "    { step: 'collect', role: 'clrk', form: ['amount'] },",
      [
        "p.json5:17:30: unknown role `clrk`\nhint: did you mean `clerk`?"
      ]
    ),
    (
      "a step's unknown field", 17,
      "    { step: 'collect', role: 'clerk', form: ['amuont'] },",
      [
        "p.json5:17:46: unknown field `amuont`\nhint: did you mean `amount`?"
      ]
    ),
    (
      "a step's bad duration", 17,
      "    { step: 'collect', role: 'clerk', form: ['amount'], due: '2 days' },",
      [
        "p.json5:17:62: `2 days` is not a duration\nhint: weeks, days, hours, minutes and seconds as in \"P2D\" or \"PT1H30M\"; months and years have no fixed length"
      ]
    ),
    (
      "a duplicate step", 17,
      "    { step: 'collect', role: 'clerk', form: ['amount'] }, { step: 'collect', role: 'clerk' },",
      [
        "p.json5:17:67: step `collect` has an id that is taken\nhint: the first is at p.json5:17:13"
      ]
    ),
    (
      "a step with a bad name", 17,
      "    { step: 'col lect', role: 'clerk', form: ['amount'] },",
      [
        "p.json5:17:17: the step `col lect` cannot have ` `: letters, digits, `_` and `-` make a name, and a letter or `_` begins it",
        "p.json5:22:30: unknown step `collect`\nhint: known here: activate, by-risk, classify, note",
      ]
    ),
    (
      "a step's unknown agent", 18,
      "    { step: 'classify', agent: 'analyts', prompt: 'classify', writes: ['risk'] },",
      [
        "p.json5:18:32: unknown agent `analyts`\nhint: did you mean `analyst`?"
      ]
    ),
    (
      "a step's unknown prompt", 18,
      "    { step: 'classify', agent: 'analyst', prompt: 'clasify', writes: ['risk'] },",
      [
        "p.json5:18:51: unknown prompt `clasify`\nhint: did you mean `classify`?"
      ]
    ),
    (
      "an agent step with a form", 18,
      "    { step: 'classify', agent: 'analyst', prompt: 'classify', writes: ['risk'], form: ['risk'] },",
      [
        "p.json5:18:81: `form` is for a step with `role`, and step `classify` has `agent`"
      ]
    ),
    (
      "a step's unknown tool", 20,
      "    { step: 'activate', tool: 'erp.activte', arguments: { vendor: 'run.vendor' } },",
      [
        "p.json5:20:31: unknown tool `erp.activte`\nhint: did you mean `erp.activate`?"
      ]
    ),
    (
      "a tool step's unknown argument", 20,
      "    { step: 'activate', tool: 'erp.activate', arguments: { vendor: 'run.vendor', risk: 'run.risk' } },",
      [
        "p.json5:20:82: unknown argument `risk`\nhint: known here: amount, vendor"
      ]
    ),
    (
      "a tool step's missing argument", 20,
      "    { step: 'activate', tool: 'erp.activate', arguments: { amount: 'run.amount' } },",
      [
        "p.json5:20:47: tool `erp.activate` needs argument `vendor`"
      ]
    ),
    (
      "a tool step's argument of another type", 20,
      "    { step: 'activate', tool: 'erp.activate', arguments: { vendor: 'run.amount' } },",
      [
        "p.json5:20:68: argument `vendor` of tool `erp.activate` is of type `string`, and `run.amount` is `double`"
      ]
    ),
    (
      "a tool step's unknown field", 20,
      "    { step: 'activate', tool: 'erp.activate', arguments: { vendor: 'run.vendr' } },",
      [
        "p.json5:20:73: unknown field `vendr` of `run`\nhint: did you mean `vendor`?"
      ]
    ),
    (
      "a block of unknown kind", 19,
      "    { chose: [] },",
      [
        "p.json5:19:7: unknown key `chose`\nhint: did you mean `choose`?"
      ]
    ),
    (
      "a case", 19,
      "    { case: [], until: 'true', id: 'investigate' },",
      [
        "p.json5:19:7: `case` is not supported yet: steps in any order cannot be run by this version\nhint: write the order with `choose`, `parallel` and `repeat`"
      ]
    ),
    (
      "a condition's unknown field", 19,
      "    { choose: [ { when: \"run.rsik == 'low'\", then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] },",
      [
        "p.json5:19:30: unknown field `rsik` of `run`\nhint: did you mean `risk`?"
      ]
    ),
    (
      "a condition of another type", 19,
      "    { choose: [ { when: 'run.amount', then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] },",
      [
        "p.json5:19:30: the expression is of type `double`, but `bool` is needed here"
      ]
    ),
    (
      "a condition that compares types", 19,
      "    { choose: [ { when: 'run.amount > 5', then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] },",
      [
        "p.json5:19:37: `>` cannot be applied to `double` and `int`\nhint: write `5.0`"
      ]
    ),
    (
      "a condition with a syntax error", 19,
      "    { choose: [ { when: 'run.amount >', then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] },",
      [
        "p.json5:19:38: expected a value, found the end"
      ]
    ),
    (
      "a condition that is no text", 19,
      "    { choose: [ { when: true, then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] },",
      [
        "p.json5:19:25: an expression must be a text, not a truth value\nhint: write it in quotes"
      ]
    ),
    (
      "a value that a field cannot have", 19,
      "    { choose: [ { when: \"run.risk == 'hgih'\", then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] },",
      [
        "p.json5:19:38: unknown value `hgih`\nhint: did you mean `high`?",
        "p.json5:19:55: step `note` can never be reached: `run.risk == 'hgih'` is never true",
      ]
    ),
    (
      "a condition that is never true", 19,
      "    { choose: [ { when: 'run.amount < 0.0', then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] },",
      [
        "p.json5:19:53: step `note` can never be reached: `run.amount < 0.0` is never true"
      ]
    ),
    (
      "a constant condition", 19,
      "    { choose: [ { when: 'false', then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] },",
      [
        "p.json5:19:42: step `note` can never be reached: `false` is never true"
      ]
    ),
    (
      "a branch that is shadowed", 19,
      "    { choose: [ { when: 'run.amount > 5.0', then: [ { step: 'note', role: 'clerk' } ] }, { when: 'run.amount > 10.0', then: [ { step: 'more', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] },",
      [
        "p.json5:19:127: step `more` can never be reached: branches before it take every case in which it applies"
      ]
    ),
    (
      "a branch shadowed by true", 19,
      "    { choose: [ { when: 'true', then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [ { step: 'more', role: 'clerk' } ] } ] },",
      [
        "p.json5:19:93: step `more` can never be reached: the branches before it take every case"
      ]
    ),
    (
      "a branch after otherwise", 19,
      "    { choose: [ { otherwise: [ { step: 'note', role: 'clerk' } ] }, { when: 'run.amount > 10.0', then: [ { step: 'more', role: 'clerk' } ] } ] },",
      [
        "p.json5:19:106: step `more` can never be reached: it stands after `otherwise`"
      ]
    ),
    (
      "a choice with a gap", 19,
      "    { choose: [ { when: \"run.risk == 'low'\", then: [ { step: 'note', role: 'clerk' } ] }, { when: \"run.risk == 'high'\", then: [], id: 'none' } ] },",
      [
        "p.json5:19:5: warning: no branch applies when `run.risk` is \"medium\"\nhint: add `otherwise`: without it, such a run waits for a person"
      ]
    ),
    (
      "a choice that no branch can take", 19,
      "    { choose: [ { when: 'false', then: [ { step: 'note', role: 'clerk' } ] } ], id: 'by-risk' },",
      [
        "p.json5:19:42: step `note` can never be reached: `false` is never true",
        "p.json5:20:5: step `activate` can never be reached: `by-risk` before it is never done",
      ]
    ),
    (
      "a branch without steps or id", 19,
      "    { choose: [ { when: \"run.risk == 'low'\", then: [] }, { otherwise: [ { step: 'note', role: 'clerk' } ] } ] },",
      [
        "p.json5:19:17: a branch without steps needs `id`, by which the log names it"
      ]
    ),
    (
      "a parallel of one", 19,
      "    { parallel: [ [ { step: 'note', role: 'clerk' } ] ] },",
      [
        "p.json5:19:17: `parallel` needs at least two lists of steps"
      ]
    ),
    (
      "a repeat without a limit", 19,
      "    { repeat: [ { step: 'note', role: 'clerk' } ], until: 'run.amount > 5.0' },",
      [
        "p.json5:19:5: block `repeat` needs `max`"
      ]
    ),
    (
      "a repeat that never ends", 19,
      "    { repeat: [ { step: 'note', role: 'clerk' } ], until: 'run.amount < -1.0', max: 3 },",
      [
        "p.json5:19:59: this repeat is never done: `run.amount < -1.0` is never true",
        "p.json5:20:5: step `activate` can never be reached: `repeat-of-note` before it is never done",
      ]
    ),
    (
      "a repeat that may do nothing", 19,
      "    { repeat: [ { choose: [ { when: \"run.risk == 'low'\", then: [ { step: 'note', role: 'clerk' } ] }, { otherwise: [], id: 'none' } ] } ], until: 'run.amount > 5.0', max: 3 },",
      [
        "p.json5:19:5: a pass of this repeat may have no step to do: give every way through it one"
      ]
    ),
    (
      "a field that may be missing", 17,
      "    { step: 'collect', role: 'clerk', form: [{ field: 'amount', required: false }] }, { choose: [ { when: 'run.amount > 5.0', then: [ { step: 'more', role: 'clerk' } ] }, { otherwise: [], id: 'nothing' } ], id: 'big' },",
      [
        "p.json5:17:212: warning: `run.amount > 5.0` at `big` reads field `amount`, which may have no value there\nhint: ask for it before, or write `has(run.amount) && …`"
      ]
    ),
    (
      "a handler of an unknown step", 22,
      "  on: [{ timeout: 'P2D', of: 'colect', escalate: 'role:owner' }],",
      [
        "p.json5:22:30: unknown step `colect`\nhint: did you mean `collect`?"
      ]
    ),
    (
      "a handler of a bad duration", 22,
      "  on: [{ timeout: 'P1M', of: 'collect', escalate: 'role:owner' }],",
      [
        "p.json5:22:19: `P1M` is not a duration\nhint: weeks, days, hours, minutes and seconds as in \"P2D\" or \"PT1H30M\"; months and years have no fixed length"
      ]
    ),
    (
      "a handler of a block's timeout", 22,
      "  on: [{ timeout: 'P1D', of: 'by-risk', escalate: 'role:owner' }],",
      [
        "p.json5:22:30: only a step is brought before somebody else, and `by-risk` is a block\nhint: give `of` a step, or `then` what is done when it is late"
      ]
    ),
    (
      "a timeout of the whole run that goes on", 22,
      "  on: [{ timeout: 'P1D', then: [] }],",
      [
        "p.json5:22:8: a timeout of the whole run ends it: give handler `timeout` `after: \"end\"`, or an `of`"
      ]
    ),
    (
      "a wait for no moment", 20,
      "    { wait: { until: 'run.vendor' }, id: 'later' }, { step: 'activate', tool: 'erp.activate', arguments: { vendor: 'run.vendor' } },",
      [
        "p.json5:20:27: the expression is of type `string`, but `timestamp` is needed here"
      ]
    ),
    (
      "a wait without a name", 20,
      "    { wait: 'P1D' }, { step: 'activate', tool: 'erp.activate', arguments: { vendor: 'run.vendor' } },",
      [
        "p.json5:20:5: block `wait` needs `id`"
      ]
    ),
    (
      "a wait of a bad duration", 20,
      "    { wait: 'P1M', id: 'later' }, { step: 'activate', tool: 'erp.activate', arguments: { vendor: 'run.vendor' } },",
      [
        "p.json5:20:13: `P1M` is not a duration\nhint: weeks, days, hours, minutes and seconds as in \"P2D\" or \"PT1H30M\"; months and years have no fixed length"
      ]
    ),
    (
      "a handler that cannot retry", 22,
      "  on: [{ exception: '*', then: [], after: 'retry', max: 2 }],",
      [
        "p.json5:22:43: only a step can be tried again: give handler `exception` an `of` that names one"
      ]
    ),
    (
      "a handler that is never reached", 22,
      "  on: [{ exception: 'x', of: 'collect', then: [] }, { exception: 'x', of: 'collect', then: [], id: 'two' }],",
      [
        "p.json5:22:53: handler `two` can never be reached: `x-of-collect` before it handles the same\nhint: put the more special one first"
      ]
    ),
    (
      "a control before an unknown tool", 23,
      "  controls: [{ id: 'C1', statement: 's', clause: 'policy.md#3.2', before: 'tool:erp.actvate', when: \"run.risk == 'high'\",",
      [
        "p.json5:23:81: unknown tool `erp.actvate`\nhint: did you mean `erp.activate`?"
      ]
    ),
    (
      "a control of an unknown clause", 23,
      "  controls: [{ id: 'C1', statement: 's', clause: 'policy.md#3.3', before: 'tool:erp.activate', when: \"run.risk == 'high'\",",
      [
        "p.json5:23:61: unknown clause `3.3`\nhint: did you mean `3.2`?"
      ]
    ),
    (
      "a control that never applies", 23,
      "  controls: [{ id: 'C1', statement: 's', clause: 'policy.md#3.2', before: 'tool:erp.activate', when: 'run.amount < 0.0',",
      [
        "p.json5:23:102: control `C1` never applies: `run.amount < 0.0` is never true"
      ]
    ),
    (
      "a control that too few can approve", 24,
      "    require: { approval: { roles: ['owner'], count: 2 } } }],",
      [
        "p.json5:24:53: control `C1` needs 2 people, and `owner` has 1"
      ]
    ),
    (
      "a control of an unknown role", 24,
      "    require: { approval: { roles: ['ownr'], count: 1 } } }],",
      [
        "p.json5:24:36: unknown role `ownr`\nhint: did you mean `owner`?"
      ]
    ),
  ]
}
