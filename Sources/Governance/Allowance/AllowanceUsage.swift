internal import Audit
public import Core
public import Storage

/// What the live allowances of one call have been used for in their windows, and which model the agent asks.
///
/// A view without it lets no allowance answer: people decide then.
public struct AllowanceUsage: Sendable {
  /// What one cap has counted in the window that ends now.
  public struct Count: Hashable, Sendable {
    /// The calls.
    public var calls: Int
    /// The sum of the argument that the cap sums; nil where it cannot be carried exactly.
    public var sum: JSONNumber?
  }

  /// For each allowance the counts of its caps, in their order.
  var counts: [String: [Count]] = [:]
  /// Which model the agent was asked with last on its step; nil where it was not.
  var model: String?
  /// Whether the model counts: a replay does not ask one.
  var knowsModel = true

  /// Reads what an allowance has been used for.
  ///
  /// - Parameters:
  ///   - allowance: The allowance.
  ///   - now: The end of the windows.
  ///   - proposal: A use that does not count: the call itself, when it is decided again.
  ///   - database: The tables.
  /// - Returns: For each cap, in their order, the calls of its window and their sum.
  /// - Throws: What the store throws.
  /// - Complexity: O(n) for the n uses that the largest cap allows in its window, whatever there are beside them.
  public static func counts(
    of allowance: Allowance, at now: Instant, but proposal: String? = nil, in database: ReadOnlyConnection
  ) throws -> [Count] {
    try allowance.caps.map { cap in
      let start = now.milliseconds - Int64(cap.within.milliseconds)
      let amounts = try database.query(
        "SELECT amounts FROM usage WHERE allowance = ? AND at > ? AND proposal IS NOT ? ORDER BY at DESC LIMIT ?",
        [.text(allowance.name), .integer(start), .text(proposal), .int(cap.count)]
      ) { $0.text(0) }
      return try count(amounts.map { try AllowanceUse.amounts(try JSON.parse(Array($0.utf8)).objectValue ?? [:]) }, cap)
    }
  }

  static func count(_ uses: [[AllowanceUse.Amount]], _ cap: Allowance.Cap) -> Count {
    var sum: JSONNumber? = JSONNumber(0)
    if let at = cap.sum?.at {
      for use in uses {
        guard let amount = use.first(where: { bytesEqual($0.at, at) }) else { continue }
        sum = sum.flatMap { $0.adding(amount.value) }
      }
    }
    return Count(calls: uses.count, sum: sum)
  }

  /// Whether one more call fits every cap.
  ///
  /// - Returns: What the call adds to the sums.
  /// - Throws: ``Uncovered`` that names the cap.
  func amounts(of call: JSONObject, under allowance: Allowance) throws(Uncovered) -> [AllowanceUse.Amount] {
    guard let counts = counts[allowance.name] else { throw Uncovered("its uses were not counted") }
    var amounts: [AllowanceUse.Amount] = []
    for (cap, count) in zip(allowance.caps, counts) {
      let window = cap.within.iso8601
      if count.calls >= cap.count { throw Uncovered("its \(cap.count) calls in \(window) are used up") }
      guard let limit = cap.sum else { continue }
      guard case .number(let number)? = JSON.object(call).value(at: limit.at), number >= JSONNumber(0) else {
        throw Uncovered("the argument at `\(limit.at)` is no amount that can be summed")
      }
      guard let sum = count.sum?.adding(number), sum <= limit.limit else {
        throw Uncovered("with this call the sum of `\(limit.at)` in \(window) would be above \(limit.limit)")
      }
      if !amounts.contains(where: { $0.at == limit.at }) { amounts.append(AllowanceUse.Amount(at: limit.at, value: number)) }
    }
    return amounts
  }
}

/// Why an allowance does not cover a call, without the values of the call.
struct Uncovered: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

extension Duration {
  var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}
