import Core
import ProcessModel
import Testing

@Suite("Sequences")
struct SequenceTests {
  @Test func stepsFollowOneAnotherUntilTheRunIsDone() throws {
    var run = try TestRun(process(steps: "{ step: 'a', role: 'clerk' }, { step: 'b', role: 'clerk' }"))
    #expect(run.open == ["a"])
    try run.complete("a")
    #expect(run.open == ["b"])
    #expect(run.refusal(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .stepNotOpen)
    try run.complete("b")
    #expect(run.open == [])
    #expect(run.status == .completed)
    let (structure, values) = RunEvent.encode(run.events)
    #expect(try RunEvent.decode(structure: structure, values: values) == run.events)
    #expect(RunState(folding: run.events) == run.state)
  }
}
