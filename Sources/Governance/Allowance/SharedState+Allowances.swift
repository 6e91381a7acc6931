internal import Audit
internal import Core

extension SharedState {
  /// How many allowances that have ended are kept.
  private static let endedAllowances = 256

  /// The allowance of a name that has not ended; it may have run out.
  public func openAllowance(_ name: String) -> AllowanceRecord? { allowances.last { $0.end == nil && bytesEqual($0.allowance.name, name) } }

  /// Adds what an entry grants.
  mutating func grantAllowance(_ record: ProposalRecord, _ entry: Entry) throws {
    // What was redacted covers nothing.
    guard let bytes = entry.content(ContentPart.values) else { return }
    let granted = try entry.body.object("allowance")
    guard let reviewed = granted["reviewed"]?.intValue, let wrong = granted["wrong"]?.intValue else {
      throw GovernanceLedger.Misfit("an allowance without its evidence")
    }
    let allowance = try Allowance(json: try JSON.parse(bytes))
    let basis = AllowanceBasis(reviewed: Int(reviewed), wrong: Int(wrong), pins: AllowancePins(json: granted["pins"]))
    if openAllowance(allowance.name) != nil { throw GovernanceLedger.Misfit("an allowance of that name has not ended") }
    allowances.append(
      AllowanceRecord(
        allowance: allowance, basis: basis, proposer: record.principal,
        approver: entry.type == EntryType.approval ? entry.principal : record.votes.last?.principal, entry: entry.index,
        granted: entry.time))
    if allowances.count(where: { $0.end != nil }) > Self.endedAllowances, let oldest = allowances.firstIndex(where: { $0.end != nil }) {
      allowances.remove(at: oldest)
    }
  }

  /// Ends an allowance, as `stopped` by a person or as the entry says.
  mutating func endAllowance(_ entry: Entry) throws {
    let ended = try entry.body.object("allowance_ended")
    let name = try ended.text("name")
    guard let why = AllowanceRecord.Ending(rawValue: try ended.text("why")) else { throw GovernanceLedger.Misfit("an unknown ending") }
    guard let place = allowances.lastIndex(where: { $0.end == nil && bytesEqual($0.allowance.name, name) }) else {
      throw GovernanceLedger.Misfit("the end of an allowance that is not there")
    }
    let text = entry.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) }
    allowances[place].end = AllowanceRecord.End(why: why, text: text, time: entry.time, by: entry.principal, entry: entry.index)
  }
}
