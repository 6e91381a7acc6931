extension CommandTable {
  /// Every command of `remit`, in the order in which its help lists them.
  static let remit = CommandTable(commands: [])
}
