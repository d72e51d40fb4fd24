// swift-tools-version: 6.1
import PackageDescription

// A package outside Weft that adds an operation and an epilogue of its own. In a package of yours, name Weft by its
// address instead of the path.
let package = Package(
  name: "OwnOperation",
  dependencies: [.package(name: "Weft", path: "../..")],
  targets: [
    .executableTarget(
      name: "OwnOperation",
      dependencies: [.product(name: "Weft", package: "Weft"), .product(name: "Conformance", package: "Weft")],
      // The kernels become arrays of bytes in the binary: `PackageResources.rms_normalization_cl`.
      resources: [.embedInCode("Kernels/rms_normalization.cl"), .embedInCode("Kernels/gaussian_kernel.clh")])
  ],
  swiftLanguageModes: [.v6]
)
