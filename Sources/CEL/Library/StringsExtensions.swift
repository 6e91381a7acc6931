extension StandardLibrary {
  static let stringExtensions: [Function] = []
}
