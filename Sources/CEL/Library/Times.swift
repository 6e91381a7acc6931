extension StandardLibrary {
  /// The parts of a time.
  static let timeParts: [String: @Sendable (CivilTime) -> Int64] = [
    "getFullYear": { $0.year }, "getMonth": { $0.month - 1 }, "getDate": { $0.day }, "getDayOfMonth": { $0.day - 1 },
    "getDayOfWeek": { $0.weekday }, "getDayOfYear": { $0.dayOfYear }, "getHours": { $0.hour }, "getMinutes": { $0.minute },
    "getSeconds": { $0.second },
  ]

  /// The parts that a length has too: of the whole length, not what is left over a larger unit.
  ///
  /// In nanoseconds.
  private static let lengthUnits: [String: Int64] = [
    "getHours": 3_600_000_000_000, "getMinutes": 60_000_000_000, "getSeconds": 1_000_000_000,
  ]

  /// The parts of times and lengths.
  ///
  /// A zone is an offset such as `+02:00`, `UTC`, or a name that the environment knows; the compiler makes a node of its own for
  /// calls with one.
  static let times: [Function] =
    timeParts.map { name, part in function(name, part) } + [
      Function(
        "getMilliseconds", signatures + [Overload([.duration], .int, isMember: true)],
        .any { arguments, _ throws(Failure) in
          switch arguments[0] {
          case .timestamp(let time): return .int(Int64(time.nanoseconds) / 1_000_000)  // the same in every zone
          // Unlike hours, minutes and seconds, of a length it is the part below a second.
          case .duration(let length) where arguments.count == 1: return .int(length.nanoseconds / 1_000_000 % 1000)
          default: throw noOverload("getMilliseconds", arguments[0])
          }
        })
    ]

  private static let signatures = [Overload([.timestamp], .int, isMember: true), Overload([.timestamp, .string], .int, isMember: true)]

  private static func function(_ name: String, _ part: @escaping @Sendable (CivilTime) -> Int64) -> Function {
    let unit = lengthUnits[name]
    return Function(
      name, unit == nil ? signatures : signatures + [Overload([.duration], .int, isMember: true)],
      .any { arguments, _ throws(Failure) in
        switch arguments[0] {
        case .timestamp(let time) where arguments.count == 1: return .int(part(CivilTime(seconds: time.seconds)))
        case .duration(let length) where arguments.count == 1:
          if let unit { return .int(length.nanoseconds / unit) }
        default: break
        }
        throw noOverload(name, arguments[0])
      })
  }
}
