internal import Core
internal import LLM

/// A script that plays the model of both example processes, for tests and for the demo without an endpoint.
///
/// It reads the same prompt that a model gets and answers with the same tool calls, right in most cases. It believes notes more than it
/// should (a vendor that the CRM has as blocked is "medium" at first), so that a refusal by the rules and its correction can be seen.
/// Everything that it says is marked as scripted.
enum ScriptedAnalyst {
  /// The name that settings give it.
  static let name = "analyst"

  /// The model.
  static var model: ScriptedModel { ScriptedModel { request in turn(request) } }

  static func turn(_ request: ModelRequest) -> ScriptedModel.Turn? {
    guard case .user(let prompt)? = request.messages.first else { return nil }
    let data = PromptData(prompt)
    let refusal = lastRefusal(request)
    if request.tools.contains(where: { $0.name == "crm.lookup" }) { return classify(data, refusal) }
    if request.tools.contains(where: { $0.name == "iam.lookup" }) { return check(data, refusal) }
    return nil
  }

  private static func lastRefusal(_ request: ModelRequest) -> String? {
    guard case .toolResults(let results)? = request.messages.last else { return nil }
    return results.first { $0.isError }?.content
  }

  // MARK: Vendors

  private static let near: Set<String> = [
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU",
    "LV", "MT",
    "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
  ]

  private static func classify(_ data: PromptData, _ refusal: String?) -> ScriptedModel.Turn? {
    guard let vendor = data["vendor"]?.stringValue else { return nil }
    guard let standing = data["vendor_status"]?.stringValue else {
      return .call("crm.lookup", ["vendor": .string(vendor)], reason: "The policy asks for the vendor's standing before it is classified.")
    }
    if standing == "blocked", refusal == nil {
      // The mistake: it takes the requester's view for a fact.
      return complete("medium", "The CRM has it as blocked, but the request says that this is settled.")
    }
    let risk = table(
      country: data["country"]?.stringValue ?? "", amount: data["amount"]?.numberValue?.double ?? 0,
      category: data["category"]?.stringValue ?? "", seesPersonalData: data["personal_data"]?.boolValue ?? false, standing: standing,
      disputes: data["open_disputes"]?.intValue ?? 0, isSanctioned: data["sanctions_hit"]?.boolValue ?? false)
    return complete(risk.name, "By clause 3.1 this is \(risk.name): \(risk.reason).")
  }

  /// The table of clause 3.1, from high to low.
  static func table(
    country: String, amount: Double, category: String, seesPersonalData: Bool, standing: String?, disputes: Int64, isSanctioned: Bool
  ) -> (name: String, reason: String) {
    let isLarge = amount > 10_000
    let isFar = !near.contains(country)
    var high: [String] = []
    if standing == "blocked" { high.append("the CRM has it as blocked") }
    if isSanctioned { high.append("a sanctions list names it") }
    if isFar, isLarge { high.append("it is outside Europe (\(country)) and the spend is over 10,000 EUR") }
    if seesPersonalData, isLarge { high.append("it sees personal data and the spend is over 10,000 EUR") }
    if !high.isEmpty { return ("high", high.joined(separator: "; ")) }
    var medium: [String] = []
    if disputes > 0 { medium.append("a dispute is open") }
    if isFar { medium.append("it is outside Europe (\(country))") }
    if seesPersonalData { medium.append("it sees personal data") }
    if category == "advice", isLarge { medium.append("it gives advice and the spend is over 10,000 EUR") }
    if amount > 50_000 { medium.append("the spend is over 50,000 EUR") }
    if !medium.isEmpty { return ("medium", medium.joined(separator: "; ")) }
    return ("low", "the CRM has it as \(standing ?? "unknown"), without disputes or sanctions, and no other row applies")
  }

  private static func complete(_ risk: String, _ reason: String) -> ScriptedModel.Turn {
    .call("complete_step", ["fields": ["risk": .string(risk), "risk_reason": .string(reason)]], reason: reason)
  }

  // MARK: Access

  private static func check(_ data: PromptData, _ refusal: String?) -> ScriptedModel.Turn? {
    guard let person = data["person"], let system = data["system"], let level = data["level"] else { return nil }
    guard let isActive = data["is_active"]?.boolValue else {
      return .call(
        "iam.lookup", ["person": person, "system": system, "level": level], reason: "The directory says what comes with the job.")
    }
    func complete(_ entitlement: String, _ note: String) -> ScriptedModel.Turn {
      .call("complete_step", ["fields": ["entitlement": .string(entitlement), "entitlement_note": .string(note)]], reason: note)
    }
    if !isActive { return complete("excluded", "The directory says that the person does not work here (clause 2.3).") }
    if data["entitled"]?.boolValue ?? false { return complete("standard", "The access comes with the person's job (clause 2.1).") }
    return complete("exceptional", "The job does not come with it, and the reason names the work (clause 2.2).")
  }
}

/// The values that a prompt gives as fenced data, by name.
struct PromptData {
  private var values: [String: JSON] = [:]

  /// Reads lines such as `- vendor: <<<DATA 1f2e3d4c from form:vendor-request: "Acme GmbH" 1f2e3d4c DATA>>>`.
  init(_ prompt: String) {
    for line in prompt.split(separator: "\n") where line.hasPrefix("- ") {
      let parts = line.dropFirst(2).split(separator: ": <<<DATA ", maxSplits: 1)
      guard parts.count == 2, parts[1].count > 8 else { continue }
      let end = " \(parts[1].prefix(8)) DATA>>>"
      guard parts[1].hasSuffix(end) else { continue }
      let inside = parts[1].dropFirst(8).dropLast(end.count)
      // The origin has no space after its colon, the value follows the first colon that does.
      guard let colon = inside.split(separator: ": ", maxSplits: 1).last, inside.contains(": ") else { continue }
      values[String(parts[0])] = try? JSON.parse(Array(Self.original(of: String(colon)).utf8))
    }
  }

  /// The text that `visible` shows like this.
  private static func original(of shown: String) -> String {
    if !shown.utf8.contains(UInt8(ascii: "\\")) { return shown }
    var result = String.UnicodeScalarView()
    var rest = shown.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\", let next = rest.first else {
        result.append(scalar)
        continue
      }
      switch next {
      case "\\", "n", "r", "t":
        result.append(next == "n" ? "\n" : next == "r" ? "\r" : next == "t" ? "\t" : "\\")
        rest.removeFirst()
      case "u" where rest.dropFirst().first == "{":
        let digits = rest.dropFirst(2).prefix { $0 != "}" }
        if let character = UInt32(String(String.UnicodeScalarView(digits)), radix: 16).flatMap({ Unicode.Scalar($0) }) {
          result.append(character)
        }
        rest = rest.dropFirst(digits.count + 3)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// The value of a field or fact; nil where it was not given, or withheld.
  subscript(name: String) -> JSON? { values[name] }
}
