internal import Core

extension BuiltinTool {
  /// The JSON Schema of an allowance.
  static let allowanceSchema: JSON = {
    let name: JSON = ["type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"]
    let text: JSON = ["type": "string", "minLength": 1, "maxLength": 128]
    let pointer: JSON = ["type": "string", "pattern": "^/", "maxLength": 256]
    let share: JSON = ["type": "integer", "minimum": 0, "maximum": 1_000_000]
    let bound: JSON = [
      "type": "object", "additionalProperties": false, "required": ["at"],
      "properties": [
        "at": pointer, "minimum": ["type": "number"], "maximum": ["type": "number"],
        "one_of": ["type": "array", "minItems": 1, "maxItems": 256],
      ],
    ]
    let sum: JSON = [
      "type": "object", "additionalProperties": false, "required": ["at", "limit"],
      "properties": ["at": pointer, "limit": ["type": "number", "minimum": 0]],
    ]
    let cap: JSON = [
      "type": "object", "additionalProperties": false, "required": ["within", "count"],
      "properties": [
        "within": text, "count": ["type": "integer", "minimum": 1, "maximum": .int(Allowance.maximumCount)], "sum": sum,
      ],
    ]
    return [
      "type": "object", "additionalProperties": false,
      "required": [
        "name", "agents", "process", "tool", "caps", "maximum_error_ppm", "reviewed_within", "sampling_ppm", "until",
      ],
      "properties": [
        "name": name, "agents": ["type": "array", "items": text, "minItems": 1, "maxItems": 32, "uniqueItems": true],
        "process": text, "step": text, "tool": text, "rule": text,
        "bounds": ["type": "array", "items": bound, "maxItems": 32], "caps": ["type": "array", "items": cap, "minItems": 1, "maxItems": 8],
        "maximum_error_ppm": ["type": "integer", "minimum": 1, "maximum": 500_000], "reviewed_within": text, "sampling_ppm": share,
        "from": text, "until": text,
      ],
    ]
  }()
}
