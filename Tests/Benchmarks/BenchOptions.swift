internal import Core
internal import Glibc

/// What the command line asks of the benchmarks.
struct BenchOptions: Sendable {
  /// The areas to run, in the order given.
  var areas: [String] = []
  /// Print one JSON object a line instead of text.
  var isJSON = false
  /// A folder with recorded or generated input, where an area can use one.
  var data: String?
  /// The seed of generated input.
  var seed: UInt64 = 7
  /// How much CPU each measurement may use, in seconds.
  var seconds = 1.0
  /// How many runs the store of area `command` has.
  var runs = 100_000
  /// Measure only rows whose name and work contain this text.
  var only: String?
  /// Commands of peers or limits, run before and after; they print lines of the same shape.
  var peers: [String] = []

  /// Whether a row was asked for.
  func wants(_ name: String, _ work: String) -> Bool { only.map("\(name) \(work)".contains) ?? true }

  static let usage = """
    swift run -c release bench gate
    swift run -c release bench gate --data ../scratch/data --json
    swift run -c release bench gate --peer '../scratch/venv/a/bin/python ../scratch/scripts/bench_policy.py --engine regorus_rvm --policies 1000'

    usage: bench AREA… [--json] [--data DIR] [--seed N] [--seconds S] [--runs N] [--only TEXT] [--peer COMMAND]…
    """

  init(_ arguments: [String]) throws(BenchError) {
    var rest = arguments[...]
    func value(of option: String) throws(BenchError) -> String {
      guard let next = rest.popFirst() else { throw BenchError("`\(option)` needs a value") }
      return next
    }
    while let argument = rest.popFirst() {
      switch argument {
      case "--json": isJSON = true
      case "--data": data = try value(of: argument)
      case "--runs":
        guard let number = Int(try value(of: argument)), number > 0 else { throw BenchError("`--runs` needs a whole number") }
        runs = number
      case "--only": only = try value(of: argument)
      case "--peer": peers.append(try value(of: argument))
      case "--seed":
        guard let number = UInt64(try value(of: argument)) else { throw BenchError("`--seed` needs a whole number") }
        seed = number
      case "--seconds":
        guard let number = Double(try value(of: argument)), number > 0, number <= 3600 else {
          throw BenchError("`--seconds` needs a number of seconds, at most 3600")
        }
        seconds = number
      case _ where argument.hasPrefix("-"): throw BenchError("unknown option `\(visible(argument))`")
      default: areas.append(argument)
      }
    }
  }
}

/// Why a benchmark cannot be run, for people.
struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
