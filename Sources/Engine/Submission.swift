/// A list of work for one pass over a device: uploads, then operations in order, then downloads.
///
/// Everything in it was validated when it was added.
public struct Submission: Sendable {
  package struct Upload: Sendable {
    package let tensor: Tensor
    package let elements: HostArray
  }

  package struct Download: Sendable {
    package let tensor: Tensor
    /// Elements from the tensor's start.
    package let count: Int
  }

  package private(set) var uploads: [Upload] = []
  package private(set) var operations: [any DeviceOperation] = []
  package private(set) var downloads: [Download] = []
  /// How exactly its products are computed; the engine that runs it says so.
  package var precision = Precision.float32
  /// What computes them; the device's choice if nil. For tests of what the device would not choose.
  package var units: ProductUnits?
  /// How its operations are cut into tiles, whatever they were tuned to; for tuning itself.
  package var choice: TileChoice?

  /// A list without work.
  public init() {}

  /// Its operations alone.
  package var withoutTransfers: Submission {
    var submission = self
    submission.uploads = []
    submission.downloads = []
    return submission
  }

  /// Its uploads alone.
  package var uploadsAlone: Submission {
    var submission = self
    submission.operations = []
    submission.downloads = []
    return submission
  }

  /// Copies `elements` to the tensor's start before any operation runs.
  /// - Throws: `EngineError` of kind `invalidOperation` if the tensor has another type or too little room.
  public mutating func upload(_ elements: HostArray, to tensor: Tensor) throws(EngineError) {
    try require(tensor, holds: elements.count, "upload", "the tensor", of: elements.elementType)
    uploads.append(Upload(tensor: tensor, elements: elements))
  }

  /// Adds an operation that runs after those before it.
  /// - Throws: what the operation's validation throws.
  public mutating func append(_ operation: any DeviceOperation) throws(EngineError) {
    try operation.validate()
    operations.append(operation)
  }

  /// Copies the tensor's first `count` elements back after the last operation; all of it without a count.
  /// - Returns: the place of the result in what the backend returns.
  /// - Throws: `EngineError` of kind `invalidOperation` if the tensor holds fewer.
  @discardableResult
  public mutating func download(_ tensor: Tensor, count: Int? = nil) throws(EngineError) -> Int {
    let count = count ?? tensor.count
    try require(
      count > 0 && count <= tensor.count, "download",
      "\(count) elements are asked of a tensor that holds \(tensor.count)")
    downloads.append(Download(tensor: tensor, count: count))
    return downloads.count - 1
  }
}

extension Engine {
  /// Fills a list on the device whose length is not known before: with room for `capacity` entries first, and again with
  /// room for all where that was too little. Nothing is lost.
  ///
  /// - Parameters:
  ///   - capacity: entries that there is room for at first.
  ///   - attempt: runs what fills the list; returns nil if it had room for all, else how many entries there are.
  /// - Throws: what `attempt` throws.
  package func fillList(
    capacity: Int, _ attempt: (_ capacity: Int) async throws(EngineError) -> Int?
  ) async throws(EngineError) {
    var capacity = capacity
    while let needed = try await attempt(capacity) { capacity = needed }
  }
}
