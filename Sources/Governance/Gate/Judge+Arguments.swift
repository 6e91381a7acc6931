internal import Core
internal import ProcessModel

// The sizes and the form of the arguments.
extension Judge {
  /// Looks at the sizes before anything else: what is too long is refused without being kept, whatever it is about.
  func checkSizes() throws(Refusal) {
    if (proposal.reason?.utf8.count ?? 0) > GateLimits.reasonBytes {
      throw Refusal(.argumentsTooLarge, "the reason is longer than \(GateLimits.reasonBytes) bytes")
    }
    if !JSON.object(proposal.arguments).isWithin(bytes: GateLimits.argumentBytes) {
      throw Refusal(.argumentsTooLarge, "the arguments have more than \(GateLimits.argumentBytes) bytes")
    }
  }

  mutating func checkArguments(_ tool: Tool) throws(Refusal) {
    try checkTexts(.object(proposal.arguments))
    if let violation = tool.validator?.validate(.object(proposal.arguments)).first {
      let place = violation.at.isEmpty ? "" : "at `\(visible(violation.at))`: "
      throw Refusal(.argumentsInvalid, "the arguments do not fit `\(tool.name)`: \(place)\(violation.message)")
    }
    do throws(NotRepresentable) {
      canonicalArguments = try JSON.object(proposal.arguments).canonicalBytes()
    } catch {
      throw Refusal(.notRepresentable, error.description)
    }
    if canonicalArguments.count > GateLimits.argumentBytes {
      throw Refusal(.argumentsTooLarge, "the arguments have \(canonicalArguments.count) bytes, the limit is \(GateLimits.argumentBytes)")
    }
  }

  func checkTexts(_ value: JSON) throws(Refusal) {
    guard let unfit = UnfitText(in: value) else { return }
    throw Refusal(unfit.code, "the text at `\(visible(unfit.place))` \(unfit.problem)")
  }

  /// The first text of a value that is too long or holds a NUL character.
  struct UnfitText {
    /// A JSON pointer, grown from its end while the search returns, so that what fits costs nothing.
    var place: String
    var code: Refusal.Code
    var problem: String

    init?(in value: JSON) {
      switch value {
      case .string(let text):
        if text.utf8.count > GateLimits.textBytes {
          let problem = "has \(text.utf8.count) bytes, the limit is \(GateLimits.textBytes)"
          self = UnfitText(place: "", code: .argumentsTooLarge, problem: problem)
        } else if text.utf8.contains(0) {
          self = UnfitText(place: "", code: .argumentsInvalid, problem: "holds a NUL character")
        } else {
          return nil
        }
      case .array(let elements):
        for (index, element) in elements.enumerated() {
          guard let inner = UnfitText(in: element) else { continue }
          self = UnfitText(place: "/\(index)\(inner.place)", code: inner.code, problem: inner.problem)
          return
        }
        return nil
      case .object(let members):
        for (key, member) in members {
          guard let inner = UnfitText(in: .string(key)) ?? UnfitText(in: member) else { continue }
          self = UnfitText(place: "/\(key)\(inner.place)", code: inner.code, problem: inner.problem)
          return
        }
        return nil
      case .null, .bool, .number: return nil
      }
    }

    private init(place: String, code: Refusal.Code, problem: String) {
      (self.place, self.code, self.problem) = (place, code, problem)
    }
  }
}
