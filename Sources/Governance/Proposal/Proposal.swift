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

  /// A new id: 80 random bits in Crockford's base 32.
  public static func mintID(prefix: String = "p", _ random: RandomSource) -> String {
    let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"
    let bits = random.bytes(10)
    var prefix = prefix
    return prefix.withUTF8 { prefix in
      String(unsafeUninitializedCapacity: prefix.count + 17) { text in
        var end = text.update(fromContentsOf: prefix)
        text[end] = UInt8(ascii: "-")
        var (buffer, count) = (0, 0)
        for byte in bits {
          (buffer, count) = (buffer << 8 | Int(byte), count + 8)
          while count >= 5 {
            (count, end) = (count - 5, end + 1)
            text[end] = alphabet.utf8Start[buffer >> count & 31]
          }
        }
        return end + 1
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
