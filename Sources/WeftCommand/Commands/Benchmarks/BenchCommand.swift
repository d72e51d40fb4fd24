public import ArgumentParser
import Foundation
import Networks
import OpenCLBackend
import Weft

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure this device.",
    discussion: "Benchmarks/Peers measures PyTorch on the same shapes.",
    subcommands: [
      BenchPairsCommand.self, BenchLinksCommand.self, BenchLossCommand.self, BenchEncoderCommand.self,
      BenchConvolutionCommand.self, BenchUNetCommand.self, BenchDenoiseCommand.self, BenchAverageCommand.self,
      BenchNeighboursCommand.self, BenchArgmaxableCommand.self,
    ])
}

extension TileShape.Variant: ExpressibleByArgument {}

/// A device, and which of its two kinds of tiles.
struct TileOptions: ParsableArguments {
  @OptionGroup var device: DeviceOptions

  @Option(help: ArgumentHelp("Tiles to use, whatever the device's kind.", valueName: "cpu|gpu"))
  var variant: TileShape.Variant?

  func engine() throws -> Engine {
    try Engine(DeviceSelection(device.device), variant: variant, logger: CommandLog.logger)
  }
}

/// Checks the sizes of heads over token pairs, so that a benchmark of them fits.
func checkPairs(batch: Int, products: Int, length: Int, headSize: Int) throws {
  guard max(batch, products, length) <= 65_536, headSize <= 4_096,
    Double(batch) * Double(length) * Double(products * headSize) < 1e9
  else { throw ValidationError("a benchmark of this size does not fit; take a smaller batch, length or head") }
}

/// Normal numbers from a seed, for benchmark inputs.
func normalNumbers(_ count: Int, seed: UInt64) -> [Float] {
  var generator = SplitMix64(seed: seed)
  return (0..<count).map { _ in
    let radius = (-2 * log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &generator))).squareRoot()
    return Float(radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator)))
  }
}
