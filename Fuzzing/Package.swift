// swift-tools-version: 6.1
import PackageDescription

// A package of its own, for everything in it is compiled for libFuzzer: see Scripts/fuzz. `Sources` leads to Weft's own,
// of which only what reads files is needed.

let package = Package(
  name: "Fuzzing",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
  ],
  targets: [
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib"),
    .systemLibrary(name: "CCLP", path: "Sources/CCLP", pkgConfig: "clp"),
    .systemLibrary(name: "CLAPACKE", path: "Sources/CLAPACKE", pkgConfig: "lapacke"),
    .target(name: "CVectorSums", path: "Sources/CVectorSums"),
    .target(name: "Files", path: "Sources/Files"),
    .target(name: "Memory", path: "Sources/Memory"),
    .target(
      name: "Engine",
      dependencies: [
        "Memory", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ], path: "Sources/Engine"),
    .target(name: "CPUBackend", dependencies: ["Engine"], path: "Sources/CPUBackend"),
    .target(name: "ModelFiles", dependencies: ["CZlib", "Files", "Memory"], path: "Sources/ModelFiles"),
    .target(name: "Networks", dependencies: ["Engine", "ModelFiles"], path: "Sources/Networks"),
    .target(name: "Diffusion", dependencies: ["Engine", "ModelFiles", "Networks"], path: "Sources/Diffusion"),
    .target(
      name: "TokenPairs",
      dependencies: [
        "Engine", "Files", "ModelFiles", "Networks", .product(name: "DequeModule", package: "swift-collections"),
      ], path: "Sources/TokenPairs"),
    .target(
      name: "Geometry",
      dependencies: [
        "CCLP", "CLAPACKE", "CVectorSums", "Engine", "Memory", "ModelFiles",
        .product(name: "BigInt", package: "BigInt"),
      ], path: "Sources/Geometry"),
    // What the command reads lines with.
    .target(
      name: "WeftCommand", dependencies: ["Engine", "Files", "Geometry", "ModelFiles", "TokenPairs"],
      path: "Sources/WeftCommand",
      sources: [
        "Support/JSON/JSONLine.swift", "Support/JSON/JSONWriter.swift", "Support/InputLines.swift",
        "Support/Output/FileDescriptor.swift", "Commands/Extraction/GoldLine.swift",
        "Commands/Geometry/ArgmaxableLayer.swift", "Commands/Geometry/ArgmaxableProofs.swift",
      ]),
    // The entry of libFuzzer.
    .target(name: "CFuzzer", path: "CFuzzer"),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CFuzzer", "CPUBackend", "Diffusion", "Engine", "Geometry", "ModelFiles", "Networks", "TokenPairs",
        "WeftCommand",
      ], path: ".", sources: ["Driver", "Targets"]),
  ],
  swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system && !["CFuzzer", "CVectorSums"].contains(target.name) {
  target.swiftSettings = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ]
}
