public import Core

/// One tool call that a principal wants to make.
public struct Proposal: Sendable {
  /// The id, `p-` and 16 characters, minted by the proposer: a second submission of the same id is recognised.
  public var id: String
  /// Who proposes, such as `agent:risk-analyst`.
  public var principal: String
  /// Who stands behind a person's proposal.
  public var identity: Identity?
  /// The tool's name, exactly as it was proposed.
  public var tool: String
  /// The arguments, strictly parsed.
  public var arguments: JSONObject
  /// The run, unless the tool starts one or is about the whole workspace.
  public var run: String?
  /// The step, as `collect` or `review#2`.
  public var step: String?
  /// Why, in the proposer's own words: untrusted text.
  public var reason: String?
  /// The id of the model's tool call, for the conversation.
  public var call: String?
  /// Whether a scripted model or person made it; every record then says so.
  public var isScripted: Bool
  /// The proposal that this one replaces, after an edit.
  public var replaces: String?
  /// The person who edited the arguments.
  public var editor: Identity?

  /// Makes a proposal from its parts.
  public init(
    id: String, principal: String, identity: Identity? = nil, tool: String, arguments: JSONObject, run: String? = nil, step: String? = nil,
    reason: String? = nil, call: String? = nil, isScripted: Bool = false
  ) {
    self.id = id
    self.principal = principal
    self.identity = identity
    self.tool = tool
    self.arguments = arguments
    self.run = run
    self.step = step
    self.reason = reason
    self.call = call
    self.isScripted = isScripted
  }

  /// A new id: the time in milliseconds and 50 random bits, in Crockford's base 32.
  ///
  /// Ids that are made one after the other sort that way, so that what is new lies together in every index of the store.
  public static func mintID(prefix: String = "p", at time: Instant, _ random: RandomSource) -> String {
    let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"
    let (time, chance) = (UInt64(max(0, time.milliseconds)), random.next())
    var prefix = prefix
    return prefix.withUTF8 { prefix in
      String(unsafeUninitializedCapacity: prefix.count + 20) { text in
        var end = text.update(fromContentsOf: prefix)
        text[end] = UInt8(ascii: "-")
        // The first nine digits are the time's 45 bits, the other ten are chance.
        for digit in 0..<19 {
          let bits = digit < 9 ? time >> UInt64(40 - 5 * digit) : chance >> UInt64(5 * (digit - 9))
          text[end + 1 + digit] = alphabet.utf8Start[Int(bits & 31)]
        }
        end += 20
        return end
      }
    }
  }

  /// The code that a person types to decide on a proposal: four letters and digits that its digest fixes.
  ///
  /// It proves that the card was read, not who reads it.
  public static func shortCode(of digest: Digest) -> String {
    // Without `q`: a code that is pasted into the pager must not close it.
    let alphabet = Array("23456789abcdefghjkmnprstuvwxyz")
    return String(digest.bytes.prefix(4).map { alphabet[Int($0) % alphabet.count] })
  }
}
