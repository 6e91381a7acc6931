internal import Core

/// Help texts, made from the commands' own declarations: examples first.
struct Help {
  var commands: CommandTable

  /// Prints the help about a topic.
  func show(_ topic: ArgumentParser.Topic, on console: Console) {
    let width = min(console.terminal.width, 100)
    let lines =
      switch topic {
      case .everything: everything(width)
      case .noun(let noun): group(noun, width)
      case .command(let path): commands.command(path).map { command($0, width) } ?? everything(width)
      }
    console.print(lines)
  }

  private func everything(_ width: Int) -> [Shown] {
    var lines: [Shown] = ["remit: agents do the routine steps, people keep control", ""]
    lines += section("Examples")
    lines += entries(
      [
        ("remit demo", "watch an agent work; decide what it may not decide alone"),
        ("remit inbox", "what waits for your decision"),
        ("remit approve ID", "see everything about a proposal, then approve it"),
        ("remit audit verify", "derive the whole log again and compare"),
      ], width)
    lines += ["", "\("Commands", .strong)  (`remit COMMAND --help` says more)"]
    lines += entries(commands.commands.map { ($0.name, $0.summary) }, width)
    lines += ["", "\("Options of every command", .strong)"]
    lines += entries(Command.globalOptions.map { (spelling($0), $0.help) }, width)
    lines += ["", "\("Exit codes", .strong)"]
    lines += entries(ExitCode.allCases.map { (String($0.rawValue), $0.meaning) }, width)
    return lines
  }

  private func group(_ noun: String, _ width: Int) -> [Shown] {
    let members = commands.group(noun)
    if members.count == 1, let only = members.first, only.path.count == 1 { return command(only, width) }
    var lines = section("Examples")
    lines += entries(members.compactMap(\.examples.first).map { ($0.line, $0.purpose) }, width)
    lines += ["", "\("Commands", .strong)"]
    lines += entries(members.map { ($0.name, $0.summary) }, width)
    return lines
  }

  private func command(_ command: Command, _ width: Int) -> [Shown] {
    var lines = ("\("remit " + command.name, .strong): \(command.summary)" as Shown).wrapped(to: width) + [""]
    lines += section("Examples")
    lines += entries(command.examples.map { ($0.line, $0.purpose) }, width)
    lines += ["", "\("Usage", .strong)"]
    lines += Shown(command.usage).wrapped(to: width - 2).map { "  \($0)" }
    if !command.details.isEmpty {
      lines += [""]
      for paragraph in command.details.split(separator: "\n\n") {
        if lines.last != "" { lines.append("") }
        lines += Shown(paragraph.split(separator: "\n").joined(separator: " ")).wrapped(to: width)
      }
    }
    if !command.arguments.isEmpty {
      lines += ["", "\("Arguments", .strong)"]
      lines += entries(command.arguments.map { ($0.name, $0.help) }, width)
    }
    if !command.options.isEmpty {
      lines += ["", "\("Options", .strong)"]
      lines += entries(command.options.map { (spelling($0), $0.help) }, width)
    }
    lines += ["", "\("Options of every command", .strong)"]
    lines += entries(Command.globalOptions.map { (spelling($0), $0.help) }, width)
    return lines
  }

  private func section(_ title: String) -> [Shown] { ["\(title, .strong)"] }

  private func spelling(_ option: Command.Option) -> String {
    (option.short.map { "-\($0), " } ?? "") + "--\(option.name)" + (option.value.map { " \($0)" } ?? "")
  }

  /// Names with what they mean, in two columns; a long name has its meaning on the next line.
  private func entries(_ rows: [(String, String)], _ width: Int) -> [Shown] {
    let column = min(rows.map { displayWidth($0.0) }.max() ?? 0, max(24, width * 2 / 5))
    var lines: [Shown] = []
    for (name, meaning) in rows {
      let text = Shown(meaning).wrapped(to: max(20, width - column - 4))
      let gap = column - displayWidth(name)
      if gap < 0 {
        lines.append("  \(name)")
        lines += text.map { "    \($0)" }
      } else {
        for (index, line) in text.enumerated() {
          let left = index == 0 ? name + String(repeating: " ", count: gap) : String(repeating: " ", count: column)
          lines.append("  \(left)  \(line)")
        }
      }
    }
    return lines
  }
}
