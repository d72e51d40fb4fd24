package import ModelFiles

/// Where a diffusers network's files lie.
package struct UNetFiles: Sendable, Hashable {
  /// The directory with the weights.
  package let directory: String
  /// `config.json`.
  package let configuration: String

  private static let weights = "diffusion_pytorch_model"

  /// Finds the network of a pipeline's directory: in its folder `unet`, or, as google/ddpm-* have it, at its root.
  /// - Throws: `ModelFileError` if there is none.
  package init(model directory: String) throws(ModelFileError) {
    guard isDirectory(directory) else {
      throw ModelFileError(
        file: directory, problem: fileExists(directory) ? "is not a directory" : "does not exist")
    }
    let places = [ModelFiles.path(directory, "unet"), directory]
    guard let place = places.first(where: { fileExists(ModelFiles.path($0, "config.json")) }) else {
      throw ModelFileError(
        file: directory,
        problem: "has neither unet/config.json nor config.json: a diffusers directory with a UNet2DModel is expected")
    }
    self.init(network: place)
  }

  /// A network's own directory.
  package init(network directory: String) {
    self.directory = directory
    configuration = ModelFiles.path(directory, "config.json")
  }

  /// The network's shape.
  package func shape() throws(ModelFileError) -> UNetConfiguration { try UNetConfiguration(file: configuration) }

  /// Checks that the weights are those of a network, without reading them.
  /// - Throws: `ModelFileError` that names the first tensor that is missing, of another shape or too many.
  package func check(_ graph: UNetGraph) throws(ModelFileError) {
    try checkpoint().check(graph.tensors, configuration: "config.json")
  }

  /// The weights, whole or in several files.
  func checkpoint() throws(ModelFileError) -> Checkpoint {
    try Checkpoint(directory: directory, baseName: Self.weights)
  }
}
