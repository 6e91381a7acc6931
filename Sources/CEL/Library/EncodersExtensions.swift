extension StandardLibrary {
  static let encoderExtensions: [Function] = []
}
