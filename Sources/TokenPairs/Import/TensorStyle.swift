internal import Foundation

/// How a framework names and stores the tensors of a layer.
struct TensorStyle: Sendable, Hashable {
  /// Between the parts of a name.
  let separator: String
  /// Dense weights are stored `[inputs, outputs]`.
  let storesInputsFirst: Bool
  private let denseWeight: String
  private let tableWeight: String
  private let gains: [String]
  private let shifts: [String]

  static let torch = TensorStyle(
    separator: ".", storesInputsFirst: false, denseWeight: "weight", tableWeight: "weight",
    gains: ["weight", "gamma"], shifts: ["bias", "beta"])
  static let paddle = TensorStyle(
    separator: ".", storesInputsFirst: true, denseWeight: "weight", tableWeight: "weight", gains: ["weight"],
    shifts: ["bias"])
  static let keras = TensorStyle(
    separator: "/", storesInputsFirst: true, denseWeight: "kernel", tableWeight: "embeddings", gains: ["gamma"],
    shifts: ["beta"])

  /// What a tensor of a layer may be called, the usual name first.
  func names(of role: ModelLayer.Part.Role, in layer: String, _ kind: ModelLayer.Kind) -> [String] {
    let endings =
      switch (role, kind) {
      case (.weight, .dense): [denseWeight]
      case (.weight, .table): [tableWeight]
      case (.weight, .normalization): gains
      case (.bias, .normalization): shifts
      case (.bias, _): ["bias"]
      }
    return endings.map { join(layer, $0) }
  }

  /// The layer that a tensor belongs to.
  func layer(of tensor: String) -> String {
    guard let end = tensor.range(of: separator, options: .backwards)?.lowerBound else { return "" }
    return String(tensor[..<end])
  }

  func join(_ first: String, _ second: String) -> String { first.isEmpty ? second : first + separator + second }
}
