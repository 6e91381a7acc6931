extension StandardLibrary {
  static let mathExtensions: [Function] = []
}
