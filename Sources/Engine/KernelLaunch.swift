/// OpenCL C that kernels are compiled from: one of Weft's own files, or a text of the caller's.
public struct KernelSource: Sendable, Hashable, ExpressibleByStringLiteral {
  /// The path of a file below `Kernels/`, or what compiler messages call the text.
  public let name: String
  /// The text; nil for one of Weft's own files.
  public let text: String?
  /// What an `#include "NAME"` stands for in this source and in what it includes; other names are Weft's own files.
  public var headers: [String: KernelSource] = [:]

  /// One of Weft's own files, by its path below `Kernels/`.
  public init(stringLiteral path: String) {
    name = path
    text = nil
  }

  /// A text of the caller's. It may include Weft's files, such as `common/vectors.clh`.
  public init(name: String, text: String) {
    self.name = name
    self.text = text
  }

  /// The same source with a header put in for `#include "NAME"`.
  public func including(_ header: KernelSource, as name: String) -> KernelSource {
    var source = self
    source.headers[name] = header
    return source
  }
}

/// What one kernel is compiled from. Launches with equal programs share a compiled kernel.
public struct KernelProgram: Sendable, Hashable {
  /// The source.
  public let source: KernelSource
  /// The kernel's name in it.
  public let entry: String
  /// Macros by name, those of the tiles included.
  public let defines: [String: String]

  /// A kernel of a source, compiled with these macros.
  public init(source: KernelSource, entry: String, defines: [String: String]) {
    self.source = source
    self.entry = entry
    self.defines = defines
  }

  /// Compiler options, in a fixed order.
  package var options: [String] {
    defines.sorted { $0.key < $1.key }.map { "-D\($0.key)=\($0.value)" }
  }
}

/// A kernel's arguments in its order, each with its parameter's name. The conformance tests compare names, types and
/// count with what the compiled kernel says of itself.
public struct KernelArguments: Sendable, ExpressibleByDictionaryLiteral {
  /// What a parameter is given.
  public enum Value: Sendable {
    /// For `int` and `uint`; it must fit 32 bits.
    case int(Int)
    /// For `float`.
    case float(Float)
    /// For a `__global` pointer.
    case tensor(Tensor)
  }

  /// Each parameter's name and value.
  public private(set) var list: [(name: String, value: Value)]

  /// Names and values in the kernel's order.
  public init(dictionaryLiteral elements: (String, Value)...) { list = elements.map { (name: $0.0, value: $0.1) } }

  /// The arguments of both, one after the other.
  public static func + (first: KernelArguments, second: KernelArguments) -> KernelArguments {
    var all = first
    all.list += second.list
    return all
  }
}

/// One kernel with its arguments and grid: what an operation becomes on an OpenCL device, alone or with others. A plain
/// value, so launches are tested without a device.
public struct KernelLaunch: Sendable {
  /// What is compiled.
  public let program: KernelProgram
  /// The arguments, in the kernel's order.
  public let arguments: KernelArguments
  /// Work-groups along each of the three dimensions. What grows with rows, batches or columns belongs in the first:
  /// along the others devices take fewer, see ``groupLimits``.
  public let groups: [Int]
  /// Work-items a group, along the first dimension.
  public let groupSize: Int

  /// One kernel, started once.
  ///
  /// - Parameters:
  ///   - source: what it is compiled from.
  ///   - entry: the kernel's name.
  ///   - tiles: the device's tiles, whose macros it is compiled with.
  ///   - defines: further macros.
  ///   - arguments: in the kernel's order.
  ///   - groups: work-groups along one to three dimensions, within ``groupLimits``.
  ///   - groupSize: work-items a group, along the first dimension; as the kernel's `reqd_work_group_size` says.
  public init(
    _ source: KernelSource, _ entry: String, _ tiles: TileShape, defines: [String: String] = [:],
    arguments: KernelArguments, groups: [Int], groupSize: Int
  ) {
    program = KernelProgram(source: source, entry: entry, defines: tiles.defines.merging(defines) { $1 })
    self.arguments = arguments
    self.groups = groups + [Int](repeating: 1, count: 3 - groups.count)
    self.groupSize = groupSize
  }

  /// The most work-groups along each dimension that every device takes; CUDA's limits, which are the lowest known.
  public static let groupLimits = [Int(Int32.max), 65_535, 65_535]

  /// Checks the grid before it is started, on every device alike: what one of them could not take must show on all.
  /// - Throws: `EngineError` of kind `invalidOperation` if there are too many groups along a dimension, or none.
  package func validate() throws(EngineError) {
    for (dimension, (count, limit)) in zip(groups, Self.groupLimits).enumerated() where !(1...limit).contains(count) {
      let advice =
        dimension == 0
        ? "a smaller batch has fewer" : "what grows with rows or batches belongs in the first dimension"
      throw EngineError(
        .invalidOperation,
        "kernel \(program.entry): \(count) work-groups along dimension \(dimension + 1), where 1 to \(limit) are possible; \(advice)"
      )
    }
  }

  /// Work-items along each dimension.
  package var global: [Int] { [groups[0] * groupSize] + groups[1...] }
  /// Work-items of a group along each dimension.
  package var local: [Int] { [groupSize, 1, 1] }
}

extension HeadSlices {
  /// A kernel's parameters for these vectors: the tensor as `name`, then the row length, the first channel and the
  /// distance between heads as `prefix` + `stride`, `offset`, `head_stride`.
  public func arguments(_ name: String, prefix: String) -> KernelArguments {
    [
      name: .tensor(tensor), prefix + "stride": .int(tensor.width), prefix + "offset": .int(offset),
      prefix + "head_stride": .int(headStride),
    ]
  }

  /// The same for one head: the tensor, its row length and the first channel.
  public func singleHeadArguments(_ name: String, prefix: String) -> KernelArguments {
    [name: .tensor(tensor), prefix + "stride": .int(tensor.width), prefix + "offset": .int(offset)]
  }
}
