/// Whether a live allowance covers a request under an earned permit.
public enum AllowanceAnswer: Hashable, Sendable {
  /// One does.
  case covered
  /// None does, for this reason: lower case, no full stop, without values of the request.
  case uncovered(String?)
}
