/// Settings of a diffusers scheduler, as its scheduler_config.json has them: what is missing has the scheduler's default.
struct DiffusersSettings: Decodable, Sendable {
  enum Value: Decodable, Sendable {
    case flag(Bool)
    case number(Double)
    case text(String)
    case numbers([Double])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else {
        self = .numbers(try container.decode([Double].self))
      }
    }
  }

  private let values: [String: Value]

  init(from decoder: any Decoder) throws { values = try decoder.singleValueContainer().decode([String: Value].self) }

  var keys: Set<String> { Set(values.keys) }

  func flag(_ key: String, default value: Bool = false) -> Bool {
    if case .flag(let flag) = values[key] { flag } else { value }
  }

  func number(_ key: String, default value: Double) -> Double {
    if case .number(let number) = values[key] { number } else { value }
  }

  func count(_ key: String, default value: Int) -> Int { Int(number(key, default: Double(value))) }

  func text(_ key: String, default value: String) -> String {
    if case .text(let text) = values[key] { text } else { value }
  }

  func numbers(_ key: String) -> [Double]? { if case .numbers(let numbers) = values[key] { numbers } else { nil } }
}
