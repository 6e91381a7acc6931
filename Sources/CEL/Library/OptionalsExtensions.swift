extension StandardLibrary {
  static let optionalExtensions: [Function] = []
}
