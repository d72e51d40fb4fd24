// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Weft",
  products: [
    .library(name: "Weft", targets: ["Weft"]),
    .library(name: "Conformance", targets: ["Conformance"]),
    .executable(name: "weft", targets: ["WeftCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.0"),
  ],
  targets: [
    // Files and folders that appear when they are complete.
    .target(name: "Files"),

    // Large pieces of host memory, of which there may be too few.
    .target(name: "Memory"),

    // The C door and the safe wrapper behind it.
    .systemLibrary(
      name: "COpenCL", pkgConfig: "OpenCL",
      providers: [.apt(["ocl-icd-opencl-dev", "opencl-headers", "pocl-opencl-icd"])]),
    .target(name: "OpenCL", dependencies: ["COpenCL", "Files"]),

    // The OpenCL C sources in Kernels/, embedded as text by a plugin, as the style and the scripts of weft's pages are.
    .executableTarget(name: "EmbedText", path: "Plugins/EmbedTextTool"),
    .plugin(name: "EmbedTextPlugin", capability: .buildTool(), dependencies: ["EmbedText"]),
    .target(name: "Kernels", plugins: ["EmbedTextPlugin"]),

    // Operations and their two executions.
    .target(
      name: "Engine",
      dependencies: [
        "Memory",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(name: "CPUBackend", dependencies: ["Engine"]),
    .target(
      name: "OpenCLBackend",
      dependencies: [
        "Engine", "Files", "Kernels", "Memory", "OpenCL", .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "Conformance",
      dependencies: [
        "CPUBackend", "Diffusion", "Engine", "Geometry", "Networks", "TokenPairs",
        .product(name: "Logging", package: "swift-log"),
      ]),

    // Models and mathematics. NumPy's archives are compressed with zlib.
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(name: "ModelFiles", dependencies: ["CZlib", "Files", "Memory"]),
    .target(name: "Networks", dependencies: ["Engine", "ModelFiles"]),
    .target(
      name: "TokenPairs",
      dependencies: [
        "Engine", "Files", "ModelFiles", "Networks", .product(name: "DequeModule", package: "swift-collections"),
      ]),

    .target(name: "Diffusion", dependencies: ["Engine", "ModelFiles", "Networks"]),

    // Reachability, hubness and the quality of samples. COIN-OR's CLP solves linear programs, LAPACK finds eigenvalues,
    // and what no double can decide is decided in integers of any size.
    .systemLibrary(name: "CCLP", pkgConfig: "clp", providers: [.apt(["coinor-libclp-dev"]), .brew(["clp"])]),
    .systemLibrary(name: "CLAPACKE", pkgConfig: "lapacke", providers: [.apt(["liblapacke-dev"]), .brew(["lapack"])]),
    // Sums in double on vector units that a package for any processor is not compiled for.
    .target(name: "CVectorSums"),
    .target(
      name: "Geometry",
      dependencies: [
        "CCLP", "CLAPACKE", "CVectorSums", "Engine", "Memory", "ModelFiles",
        .product(name: "BigInt", package: "BigInt"),
      ]),

    // Pictures for people: PNG through libpng, plots as SVG.
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .target(name: "Pictures", dependencies: ["CPNG"]),

    // What people meet.
    .target(
      name: "Weft",
      dependencies: [
        "CPUBackend", "Diffusion", "Engine", "Geometry", "ModelFiles", "OpenCLBackend", "TokenPairs",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "WeftCommand",
      dependencies: [
        "Conformance", "Diffusion", "Engine", "Files", "Geometry", "ModelFiles", "Networks", "OpenCLBackend",
        "Pictures", "TokenPairs", "Weft",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "DequeModule", package: "swift-collections"),
      ], plugins: ["EmbedTextPlugin"]),

    .target(name: "TestDevices", dependencies: ["Engine", "Weft"], path: "Tests/TestDevices"),
    .testTarget(name: "OpenCLTests", dependencies: ["OpenCL"]),
    .testTarget(
      name: "EngineTests", dependencies: ["Engine", .product(name: "Logging", package: "swift-log")]),
    .testTarget(
      name: "ConformanceTests",
      dependencies: [
        "Conformance", "CPUBackend", "Diffusion", "Engine", "Geometry", "Kernels", "Networks", "OpenCL",
        "OpenCLBackend",
        "TokenPairs",
        .product(name: "Logging", package: "swift-log"),
      ], exclude: ["Goldens"]),
    .testTarget(name: "ModelFilesTests", dependencies: ["Files", "Memory", "ModelFiles"], exclude: ["Goldens"]),
    .testTarget(
      name: "TokenPairsTests",
      dependencies: ["CPUBackend", "Engine", "Memory", "ModelFiles", "Networks", "TestDevices", "TokenPairs", "Weft"],
      exclude: ["Goldens"]),
    .testTarget(
      name: "DiffusionTests",
      dependencies: ["CPUBackend", "Diffusion", "Engine", "ModelFiles", "Networks", "TestDevices", "Weft"],
      exclude: ["Goldens"]),
    .testTarget(
      name: "GeometryTests",
      dependencies: ["CPUBackend", "Diffusion", "Engine", "Geometry", "Memory", "ModelFiles", "TestDevices", "Weft"]),
    // Many tasks at once, and long lives of one process. The C file speaks for Swift's libraries to ThreadSanitizer.
    .target(name: "CThreadSanitizer", path: "Tests/CThreadSanitizer"),
    .testTarget(
      name: "StressTests",
      dependencies: ["CThreadSanitizer", "Diffusion", "Engine", "Geometry", "TestDevices", "TokenPairs", "Weft"]),
    // The fuzzer's targets, over the inputs that are kept.
    .testTarget(
      name: "FuzzTests",
      dependencies: ["Diffusion", "Engine", "Geometry", "ModelFiles", "Networks", "TokenPairs", "WeftCommand"],
      path: "Fuzzing",
      exclude: ["CFuzzer", "Corpora", "Dictionaries", "Driver", "Package.swift", "Sources", "make_seeds.py"],
      sources: ["Targets", "Tests"]),
    .testTarget(name: "PicturesTests", dependencies: ["CPNG", "Pictures"]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "Conformance", "Engine", "Kernels", "ModelFiles", "OpenCL", "OpenCLBackend", "Weft", "WeftCommand",
      ],
      exclude: ["Faults/fake_gpu.c", "Faults/opencl_faults.c"]),
  ],
  swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system && target.type != .plugin {
  target.swiftSettings =
    (target.swiftSettings ?? []) + [
      .enableUpcomingFeature("ExistentialAny"),
      .enableUpcomingFeature("InternalImportsByDefault"),
      .enableUpcomingFeature("MemberImportVisibility"),
    ]
}
