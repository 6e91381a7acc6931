internal import Core

/// One of the twenty vendor requests of the demo, with what its people do.
struct DemoRequest: Sendable {
  var requester: String
  var vendor: String
  var country: String
  var category: String
  var purchase: String
  /// Whole EUR a year.
  var amount: Int
  var seesPersonalData = false
  var iban: String
  /// How compliance reviews it, where it comes to a review.
  var review = "cleared"
  var conditions: String?
  /// Why the person who has to approve its activation says no; nil where they agree.
  var rejection: String?
  /// Whether its activation is left to whoever runs the demo, so that there is something to decide afterwards.
  var isLeftForYou = false

  /// The values of the request form.
  var fields: JSONObject {
    [
      "vendor": .string(vendor), "country": .string(country), "category": .string(category), "purchase": .string(purchase),
      "amount": .int(amount), "personal_data": .bool(seesPersonalData),
    ]
  }

  /// A contract on one page, so that there is evidence to attach.
  var contract: [UInt8] {
    let text = "Contract between Example Works and \(vendor): \(purchase), up to \(amount) EUR a year, payable to \(iban)."
    let stream = "BT /F1 11 Tf 60 760 Td (\(text.filter { $0.isASCII && $0 != "(" && $0 != ")" && $0 != "\\" })) Tj ET"
    return Array(
      """
      %PDF-1.4
      1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
      2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
      3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >> endobj
      4 0 obj << /Length \(stream.utf8.count) >> stream
      \(stream)
      endstream endobj
      5 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj
      trailer << /Root 1 0 R >>
      %%EOF

      """.utf8)
  }

  /// The requests: ten small ones of low risk, two larger ones, seven of medium risk, two of high risk, in the order of filing.
  static let all: [DemoRequest] = [
    .init(
      requester: "dora", vendor: "Acme GmbH", country: "DE", category: "goods", purchase: "Office supplies", amount: 1800,
      iban: "DE89370400440532013000"),
    .init(
      requester: "emil", vendor: "Nordwind Logistik GmbH", country: "DE", category: "services", purchase: "Regional deliveries",
      amount: 8500, iban: "DE02120300000000202051"),
    .init(
      requester: "hugo", vendor: "Bluefin Analytics Ltd", country: "GB", category: "software", purchase: "Sales dashboard", amount: 8000,
      iban: "GB29NWBK60161331926819"),
    .init(
      requester: "dora", vendor: "Papier Union AG", country: "CH", category: "goods", purchase: "Printer paper", amount: 2400,
      iban: "CH9300762011623852957"),
    .init(
      requester: "finn", vendor: "Orbital Trading FZE", country: "AE", category: "goods", purchase: "Pumps for the cooling water",
      amount: 18000,
      iban: "AE070331234567890123456", review: "declined"),
    .init(
      requester: "emil", vendor: "Fjord Hydraulics AS", country: "NO", category: "goods", purchase: "Spare parts for lifts", amount: 6200,
      iban: "NO9386011117947"),
    .init(
      requester: "dora", vendor: "Maple Training Inc", country: "US", category: "services", purchase: "Sales training", amount: 6000,
      iban: "GB33BUKB20201555555555"),
    .init(
      requester: "hugo", vendor: "Old Mill Catering", country: "GB", category: "services", purchase: "Canteen", amount: 9900,
      iban: "GB94BARC10201530093459"),
    .init(
      requester: "finn", vendor: "Kestrel Software SAS", country: "FR", category: "software", purchase: "Drawing licences", amount: 4500,
      iban: "FR1420041010050500013M02606"),
    .init(
      requester: "emil", vendor: "Sakura Parts KK", country: "JP", category: "goods", purchase: "Sensors", amount: 5200,
      iban: "DE75512108001245126199"),
    .init(
      requester: "dora", vendor: "Tulip Print BV", country: "NL", category: "services", purchase: "Business cards and flyers", amount: 1200,
      iban: "NL91ABNA0417164300"),
    .init(
      requester: "hugo", vendor: "Lumen HR Services BV", country: "NL", category: "services", purchase: "Printing of payslips",
      amount: 7000,
      seesPersonalData: true, iban: "NL02ABNA0123456789"),
    .init(
      requester: "emil", vendor: "Alpine Tools AG", country: "AT", category: "goods", purchase: "Hand tools", amount: 7600,
      iban: "AT611904300234573201"),
    .init(
      requester: "dora", vendor: "Sable Furniture SRL", country: "IT", category: "goods", purchase: "Desks and chairs", amount: 24000,
      iban: "IT60X0542811101000000123456", isLeftForYou: true),
    .init(
      requester: "finn", vendor: "Andes Coffee SAC", country: "PE", category: "goods", purchase: "Coffee", amount: 2100,
      iban: "ES9121000418450200051332"),
    .init(
      requester: "dora", vendor: "Brook and Sons Ltd", country: "IE", category: "services", purchase: "Window cleaning", amount: 3300,
      iban: "IE29AIBK93115212345678"),
    .init(
      requester: "emil", vendor: "Sunline Imports Inc", country: "US", category: "goods",
      purchase: "Garden furniture; the returned payments of spring are settled", amount: 32000, iban: "GB82WEST12345698765432",
      review: "cleared_with_conditions", conditions: "Payment only against delivery.",
      rejection: "finance still has both returned payments open; come back when they are settled"),
    .init(
      requester: "finn", vendor: "Cedar Data SpA", country: "CL", category: "software", purchase: "Checks of customer addresses",
      amount: 9500,
      seesPersonalData: true, iban: "ES7921000813610123456789"),
    .init(
      requester: "hugo", vendor: "Harbour Advisory LLP", country: "GB", category: "advice", purchase: "Advice to the board", amount: 9000,
      iban: "GB11HBUK40127669998520"),
    .init(
      requester: "hugo", vendor: "Quartz Consulting GmbH", country: "DE", category: "advice", purchase: "Review of our month-end closing",
      amount: 60000,
      iban: "DE12500105170648489890"),
  ]
}
