import Diffusion
import Engine
import Geometry
import TestDevices
import TokenPairs
import Weft

/// A part of the library at work: what thread tests do many times at once, and soak tests over and over.
struct LibraryWork: Sendable, CustomStringConvertible {
  let description: String
  /// Loads what it needs onto a device.
  let load: @Sendable (Engine) async throws -> Loaded

  struct Loaded: Sendable {
    /// Does the work; the result as text, all bits of it.
    let run: @Sendable () async throws -> String
    /// Begins the work and drops its stream after the first element.
    let drop: @Sendable () async throws -> Void
  }

  static let all = [extraction, sampling, distances, neighbours, argmaxability]

  private static func bits(_ numbers: some Sequence<Float>) -> String {
    numbers.map { String($0.bitPattern, radix: 36) }.joined(separator: " ")
  }

  private static func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in Float(Int(generator.next() % 2001) - 1000) / 256 }
  }

  static let extraction = LibraryWork(description: "extraction") { engine in
    let extractor = try await Extractor(
      model: BundledModels.directory(), on: engine, options: .init(batchTokens: 16))
    let texts = ["Mr. Bennet met Elizabeth in London .", "", "They left .", "His aunt saw Mr. Darcy ."]
    return Loaded {
      var result = ""
      for try await document in extractor.documents(in: texts) { result += "\(document.entities)\n" }
      return result
    } drop: {
      for try await _ in extractor.documents(in: texts) { break }
    }
  }

  static let sampling = LibraryWork(description: "sampling") { engine in
    let denoiser = try await MixtureDenoiser(
      points: numbers(5 * 12, seed: 3), shape: [12], on: engine)
    let sampler = try Sampler(SamplingMethod(.dpmSolver2S, steps: 3), denoiser: denoiser, on: engine, batchSize: 3)
    return Loaded {
      bits(try await sampler.samples(count: 7, seed: 5).values)
    } drop: {
      for try await _ in try sampler.run(SamplingRequest(count: 7, seed: 5)) { break }
    }
  }

  static let distances = LibraryWork(description: "distances") { engine in
    let rows = try Vectors(numbers(37 * 9, seed: 1), dimension: 9)
    let columns = try Vectors(numbers(21 * 9, seed: 2), dimension: 9)
    let run: @Sendable () async throws -> String = { bits(try await engine.distances(rows: rows, columns: columns)) }
    return Loaded(run: run) { _ = try await run() }
  }

  static let neighbours = LibraryWork(description: "neighbours") { engine in
    let vectors = try Vectors(numbers(70 * 6, seed: 4), dimension: 6)
    let run: @Sendable () async throws -> String = {
      let lists = try await engine.neighbours(of: vectors, k: 3)
      return "\(lists.indices) \(lists.distances.map(\.bitPattern))"
    }
    return Loaded(run: run) { _ = try await run() }
  }

  static let argmaxability = LibraryWork(description: "argmaxability") { engine in
    let classes = try OutputClasses(Vectors(numbers(24 * 3, seed: 6), dimension: 3), bias: numbers(24, seed: 7))
    let run: @Sendable () async throws -> String = {
      var proofs: [ClassProof] = []
      try await ArgmaxSearch(classes, on: engine).run { found, _ in proofs += found }
      return "\(proofs.sorted { $0.index < $1.index }.map { "\($0.index) \($0.verdict)" })"
    }
    return Loaded(run: run) { _ = try await run() }
  }
}
