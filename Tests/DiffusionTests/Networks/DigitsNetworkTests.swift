import Engine
import Foundation
import TestDevices
import Testing
import Weft

@testable import Diffusion
@testable import ModelFiles

/// The bundled network beside diffusers, from given noise.
@Suite struct DigitsNetworkTests {
  private static let tolerance: Float = 1e-3
  private static let golden = "goldens/digits-unet/ddim.npz"

  /// DDIM, configured from the model's own scheduler as diffusers does.
  private func sample(_ noise: [Float], count: Int) async throws -> (first: [Float], result: [Float]) {
    let files = try DiffusionModelFiles(directory: try BundledModels.directory(named: BundledModels.digits))
    let engine = try await TestDevice.openCL.engine()
    let denoiser = try await NetworkDenoiser(files, on: engine)
    var method = SamplingMethod.ddim(steps: 20)
    method.clipping = files.scheduler.clipping(for: .ddim)
    files.scheduler.adapt(&method)
    #expect(try method.grid(prediction: .epsilon).levels.first?.time == 950)
    let level = NoiseLevel(time: 950, alpha: 1, sigma: 1)
    let first = try await denoiser.evaluate(DenoiserCall(samples: noise, count: count, levels: [level]))
    var request = SamplingRequest(count: count)
    request.start = .given(noise)
    return (first, try await Sampler(method, denoiser: denoiser, on: engine).samples(request).values)
  }

  private func deviation(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    return zip(found, expected).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
  }

  @Test(.enabled(if: TestDevice.hasOpenCL)) func storedImagesAreMet() async throws {
    let stored = try Checkpoint(file: "\(UNetGolden.folder)/digits.safetensors")
    func numbers(_ name: String) throws -> [Float] { try stored.floats(named: name, shape: [2, 1, 16, 16]) }
    let found = try await sample(numbers("noise"), count: 2)
    #expect(deviation(found.first, try numbers("first")) < Self.tolerance)
    #expect(deviation(found.result, try numbers("ddim")) < Self.tolerance)
  }

  @Test(.enabled(if: TestDevice.hasOpenCL && SharedData.has(golden))) func sharedImagesAreMet() async throws {
    // Beside numbers the archive holds a text, which NumPyArchive does not read: one file at a time, then.
    let archive = try ZipArchive(try InputFile(path: SharedData.path(Self.golden)))
    let folder = try Folder()
    defer { withExtendedLifetime(folder) {} }
    func numbers(_ name: String) throws -> [Float] {
      let entry = try #require(archive.entries.first { $0.name == "\(name).npy" })
      return try NumPyArray(path: try folder.write("\(name).npy", try archive.bytes(of: entry))).values
    }
    let noise = try numbers("noise")
    let found = try await sample(noise, count: noise.count / 256)
    #expect(deviation(found.first, try numbers("first_output")) < Self.tolerance)
    #expect(deviation(found.result, try numbers("result")) < Self.tolerance)
  }
}

/// Data that are too large for the repository: a folder `shared` beside the package's root.
enum SharedData {
  static func path(_ name: String) -> String {
    let root = URL(filePath: #filePath).appending(path: "../../../../..").standardized
    return root.appending(path: "shared/\(name)").path
  }

  static func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
}
