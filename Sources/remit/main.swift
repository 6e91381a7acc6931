import App
import Glibc

// As bytes: `CommandLine.arguments` would repair what is not UTF-8, and a repaired name is another name.
let arguments = CommandLine.unsafeArgv
exit(
  await RemitCommand.main(
    (0..<Int(CommandLine.argc)).map { place in
      arguments[place].map { UnsafeBufferPointer(start: $0, count: strlen($0)).map { UInt8(bitPattern: $0) } } ?? []
    }))
