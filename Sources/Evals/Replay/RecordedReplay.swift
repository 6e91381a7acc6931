public import Core
internal import PolicyEngine

/// Replays a recording from its files: the runs, and beside them the catalogue, the system of record and the tasks.
public enum RecordedReplay {
  /// Decides every call of a recording under the rules of a folder.
  ///
  /// - Parameters:
  ///   - path: A file of recorded runs, or of tasks; the other files that the folder's `facts.json5` names lie beside it.
  ///   - folder: The rules.
  ///   - facts: The description of facts; nil takes that of the folder. So two sets of rules can be compared on the same facts.
  ///   - now: The time to decide at; nil takes what the rules say.
  /// - Returns: The verdicts. The ground truth is that of the tasks: of the file itself where it holds tasks, else of those beside it.
  /// - Throws: What is wrong with a file, with its place.
  /// - Complexity: O(calls); memory for one verdict a call and the system of record.
  public static func run(
    recording path: String, rules folder: PolicyFolder, facts: FactDescription? = nil, now: Instant? = nil
  ) throws(Diagnostics) -> ReplayReport {
    // What the caller named comes first: the files beside it follow from it.
    let recording: RecordedRuns
    do throws(Diagnostic) { recording = try RecordedRuns(path: path) } catch { throw Diagnostics([error]) }
    guard let description = facts ?? folder.facts else {
      throw Diagnostics([
        Diagnostic(
          "no-facts", at: nil, "`\(visible(folder.path))` has no `facts.json5`, so nothing says what a recorded call is about",
          hint: "copy the one of the policy that the recording belongs to")
      ])
    }
    let beside = folderName(of: path)
    let catalogue: ToolCatalogue
    let store: SystemOfRecord
    do throws(Diagnostic) {
      catalogue = try ToolCatalogue(path: "\(beside)/\(description.catalogue)")
      store = try SystemOfRecord(description, folder: beside)
    } catch {
      throw Diagnostics([error])
    }
    let rules = try folder.rules(catalogue: catalogue)
    let replay = Replay(rules: rules, catalogue: catalogue, facts: (description, store), now: now)
    do throws(Diagnostic) {
      let decided = try decide(recording, replay)
      var truth: [ReplayVerdict] = []
      if decided.form == .tasks {
        truth = decided.verdicts
      } else if let tasks = description.tasks {
        truth = try decide(try RecordedRuns(path: "\(beside)/\(tasks)"), replay).verdicts
      }
      return ReplayReport(policy: rules.policy, verdicts: decided.verdicts, groundTruth: truth, runs: decided.runs)
    } catch {
      throw Diagnostics([error])
    }
  }

  private struct Decided {
    var verdicts: [ReplayVerdict] = []
    var runs = 0
    var form: RecordedRuns.Form?
  }

  private static func decide(_ recording: RecordedRuns, _ replay: Replay) throws(Diagnostic) -> Decided {
    var session = Replay.Session(replay)
    var decided = Decided()
    var names: Set<ExactString> = []
    while let run = try recording.next() {
      guard names.insert(ExactString(run.id)).inserted else {
        throw Diagnostic("bad-recording", at: recording.position, "the run `\(visible(run.id))` is there twice")
      }
      for proposal in run.proposals { decided.verdicts.append(session.decide(proposal)) }
      session.endRun(run.id)
      decided.runs += 1
    }
    decided.form = recording.form
    return decided
  }

  private static func folderName(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
