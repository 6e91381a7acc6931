internal import Core

/// `remit demo`.
enum DemoCommand {
  static let all = [demo]

  static let demo = Command(
    path: ["demo"], summary: "run the main job from end to end: an agent works, people keep control",
    details: """
      Twenty vendor requests come in. An agent classifies them; those of low risk go through alone, the others are held. On a terminal you decide;
      without one seeded people do, and every record says scripted. Then the log is verified and mined, and its proposals are decided again under a
      changed rule.

      With OPENAI_BASE_URL or OPENAI_API_KEY set, a real model plays the agent (REMIT_MODEL names it; REMIT_MODEL_MODE=structured is for servers
      without tool support). Run again on the same workspace, a demo that was interrupted goes on.
      """,
    examples: [
      .init("remit demo", "in a new folder under /tmp"),
      .init("remit demo --workspace ./demo", "in a folder that stays, for every other command"),
      .init("remit demo --scripted --json", "nobody is asked; the result as JSON"),
    ],
    options: [
      .flag("scripted", "let seeded people decide, on a terminal too"), .value("requests", "N", "how many requests come in, from 1 to 20"),
      .value("examples", "DIR", "the folder with Policies, Prompts and Evals"),
    ],
    place: { _ in .local },
    run: { context in
      let count = try context.arguments.integer("requests", in: 1...DemoRequest.all.count) ?? DemoRequest.all.count
      let examples = try Demo.examples(context.arguments.option("examples"))
      let named = context.arguments.option("workspace") ?? context.environment["REMIT_WORKSPACE"].flatMap { $0.isEmpty ? nil : $0 }
      let folder = try Demo.prepare(named, examples: examples)
      let terminal = context.console.terminal
      let isInteractive =
        terminal.inputIsTerminal && terminal.wordsAreTerminal && !context.console.wantsJSON && !context.arguments.flag("scripted")
      let demo = Demo(console: context.console, environment: context.environment, isInteractive: isInteractive, count: count)
      let workspace = try await Workspace.open(folder, .create, environment: context.environment)
      do {
        let result = try await demo.run(on: workspace)
        await workspace.close()
        return result
      } catch {
        await workspace.close()
        throw error
      }
    })
}
