internal import Core

/// How a person shows that they decide on exactly what they saw.
struct Consent {
  let console: Console
  /// What they are about to do: `approve`, `reject`, `edit`.
  let verb: String
  /// What they gave as the digest, where they gave one.
  let digest: String?
  var front: any Front = LocalFront()

  /// The fewest digits of a digest that name it.
  static let shortestDigest = 12

  /// What a person agreed to decide on.
  struct Given {
    /// The digest that the decision is bound to.
    let digest: Digest
    /// How long the card was looked at, its code typed included; nil where no card was shown.
    let considered: Duration?
  }

  /// What the decision is bound to.
  ///
  /// With a digest given, it must be the card's. Otherwise the card is shown to its end on the terminal, and its code asked for.
  ///
  /// - Throws: ``CommandError``: a digest that is not the card's, a code that is not the card's, a card that was not seen to its end,
  ///   nobody to ask.
  func given(to card: ApprovalCard) async throws -> Given {
    guard let full = Digest(hex: card.digest) else { throw CommandError(.failed, "damaged", "the proposal has no usable digest") }
    if let digest {
      let given = digest.hasPrefix("sha256:") ? String(digest.dropFirst(7)) : digest
      guard given.utf8.count >= Self.shortestDigest else {
        throw CommandError.usage("`--digest \(visible(digest))`: at least the first \(Self.shortestDigest) digits are needed")
      }
      guard card.digest.hasPrefix(given.lowercased()) else {
        throw CommandError(
          .conflict, "digest-mismatch", "this is not the proposal that you saw: its digest is \(card.digest.prefix(Self.shortestDigest))…",
          hint: "look at it again: `remit approval show \(card.proposal)`")
      }
      return Given(digest: full, considered: nil)
    }
    let considered = try await agreed(
      to: card.lines(width: console.terminal.width), code: card.code, what: "it",
      without: .usage(
        "without a terminal `--digest` has to say what you \(verb)", hint: "`remit approval show \(card.proposal)` shows the digest"))
    guard let considered else { throw CommandError(.pending, "not-decided", "nothing was decided: that was not the code") }
    return Given(digest: full, considered: considered)
  }

  /// Shows lines to their end and asks for the code that stands there.
  ///
  /// - Parameters:
  ///   - lines: What is decided on.
  ///   - code: The code that stands at their end.
  ///   - what: What the code is for, after the verb.
  ///   - without: What is said where there is no terminal.
  /// - Returns: How long it took; nil where something else was typed.
  /// - Throws: ``CommandError`` where the lines were not shown to their end, or there is nobody to ask.
  func agreed(to lines: [Shown], code: String, what: String, without: CommandError) async throws -> Duration? {
    guard console.terminal.inputIsTerminal, console.terminal.wordsAreTerminal, !console.wantsJSON else {
      throw without
    }
    let start = ContinuousClock.now
    guard try await front.page(lines, on: console) else {
      throw CommandError(.pending, "not-decided", "nothing was decided: the card was not shown to its end")
    }
    let answer = try await front.ask("\nType the code above to \(verb) \(what); anything else leaves it as it is: ", on: console) ?? ""
    return answer.filter { $0 != " " }.lowercased() == code.lowercased() ? ContinuousClock.now - start : nil
  }
}
