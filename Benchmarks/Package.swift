// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that what measuring needs stays out of the graphs of those who use Weft.
let package = Package(
  name: "WeftBenchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "Weft", path: ".."),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.29.0", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "WeftBenchmarks",
      dependencies: [
        .product(name: "Weft", package: "Weft"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "Benchmarks/WeftBenchmarks",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ],
  swiftLanguageModes: [.v6]
)
