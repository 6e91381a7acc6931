internal import Core

extension StandardLibrary {
  /// The functions of the `encoders` library.
  static let encoderExtensions: [Function] = [
    Function(
      "base64.encode", [Overload([.bytes], .string)],
      .unary { x, meter throws(Failure) in
        guard case .bytes(let bytes) = x else { throw noOverload("base64.encode", x) }
        try meter.spend(1 + bytes.count / 4)
        return .string(Base64.encode(bytes))
      }),
    Function(
      "base64.decode", [Overload([.string], .bytes)],
      .unary { x, meter throws(Failure) in
        guard case .string(let text) = x else { throw noOverload("base64.decode", x) }
        try meter.spend(1 + text.utf8.count / 4)
        guard let bytes = Base64.decode(text) else { throw Failure(.invalidArgument, "`base64.decode` needs base64") }
        return .bytes(bytes)
      }),
  ]
}
