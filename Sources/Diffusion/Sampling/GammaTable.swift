internal import Foundation
internal import ModelFiles

/// Γ = E‖ε_θ(x, t)‖² / dim at each noise level, the mean square of a network's predicted noise: which Analytic-DPM
/// needs of a model (Bao et al., 2022). It is estimated once, over data, and kept beside the weights.
///
/// A level is known by its ᾱ: the time that a network is told may be rounded, and two levels then share it. Older tables
/// have the time alone.
public struct GammaTable: Sendable, Hashable {
  /// One level's estimate.
  public struct Entry: Sendable, Hashable {
    /// What the network was told.
    public var time: Double
    /// ᾱ of the level; nil in tables that know the time alone.
    public var alphaBar: Double?
    /// Γ, near 0 for clean data and near 1 for noise.
    public var gamma: Double

    /// An estimate for a time.
    public init(time: Double, gamma: Double) {
      self.time = time
      self.gamma = gamma
    }

    /// An estimate for a level.
    public init(at level: NoiseLevel, gamma: Double) {
      time = level.time
      alphaBar = level.alphaBar
      self.gamma = gamma
    }
  }

  /// The range of images.
  public static let imageRange = -1.0...1.0

  /// Estimates by rising noise.
  public let entries: [Entry]
  /// The smallest and the largest number of the data, which Γ was measured over or is used for; nil for data without
  /// bounds. Numbers between two bounds have a variance of at most ((max - min) / 2)².
  public var dataRange: ClosedRange<Double>?
  /// The data's variance, over all their numbers; nil if it is not known. It is the variance of x0 given a level without
  /// signal, which no Γ tells.
  public var dataVariance: Double?

  /// The most that the variance of x0 given x can be, ((max - min) / 2)² for data between bounds, 1 for -1 … 1; nil for data
  /// without.
  public var varianceLimit: Double? {
    dataRange.map { range in
      let half = (range.upperBound - range.lowerBound) / 2
      return half * half
    }
  }

  /// A table from its entries, in any order.
  /// - Parameters:
  ///   - entries: At least one, each of another level, all with or all without ᾱ.
  ///   - dataRange: The smallest and the largest number of the data, -1 … 1 for images; nil for data without bounds.
  ///   - dataVariance: The data's variance; nil if it is not known.
  /// - Throws: `DiffusionError` if there are none, two are of the same level, or a number is not finite, ᾱ not in 0 … 1 or
  ///   Γ or the variance below 0.
  public init(
    _ entries: [Entry], dataRange: ClosedRange<Double>? = Self.imageRange, dataVariance: Double? = nil
  ) throws(DiffusionError) {
    for number in [dataRange?.lowerBound, dataRange?.upperBound, dataVariance].compactMap({ $0 }) {
      guard number.isFinite, dataVariance ?? 0 >= 0 else {
        throw DiffusionError(
          .invalidData, "The data's range and variance must be finite, and the variance at least 0; one is \(number).")
      }
    }
    (self.dataRange, self.dataVariance) = (dataRange, dataVariance)
    guard !entries.isEmpty else { throw DiffusionError(.invalidData, "A Γ table needs at least one entry.") }
    for entry in entries {
      guard entry.time.isFinite, entry.gamma.isFinite, entry.gamma >= 0 else {
        throw DiffusionError(
          .invalidData, "Γ at time \(entry.time) is \(entry.gamma): both must be finite, and Γ at least 0.")
      }
      guard (0...1).contains(entry.alphaBar ?? 0) else {
        throw DiffusionError(.invalidData, "ᾱ at time \(entry.time) must lie between 0 and 1.")
      }
      guard (entry.alphaBar == nil) == (entries[0].alphaBar == nil) else {
        throw DiffusionError(.invalidData, "All entries of a Γ table have ᾱ, or none.")
      }
    }
    let sorted = entries.sorted { $0.noise < $1.noise }
    for (entry, next) in zip(sorted, sorted.dropFirst()) where entry.noise == next.noise {
      let place = entry.alphaBar.map { "ᾱ = \($0)" } ?? "time \(entry.time)"
      throw DiffusionError(.invalidData, "The Γ table has two entries for \(place).")
    }
    self.entries = sorted
  }

  /// The table of data that are independent normal numbers, for an exact model: Γ = (1 - ᾱ) / (ᾱ s² + 1 - ᾱ).
  /// - Parameters:
  ///   - dataVariance: s², at least 0.
  ///   - levels: Noisy variance-preserving levels, all different.
  /// - Returns: Γ at each level.
  /// - Throws: `DiffusionError` if the variance is negative or a level appears twice.
  public static func gaussian(dataVariance: Double, levels: [NoiseLevel]) throws(DiffusionError) -> GammaTable {
    try require(dataVariance >= 0 && dataVariance < .infinity, "The data's variance is \(dataVariance).")
    return try GammaTable(
      levels.map { level in
        let noise = level.sigma * level.sigma
        return Entry(at: level, gamma: noise / (level.alpha * level.alpha * dataVariance + noise))
      }, dataRange: nil, dataVariance: dataVariance)
  }

  /// Γ at a level: by its ᾱ, or by its time where the table has no ᾱ.
  /// - Parameters:
  ///   - level: Where.
  ///   - interpolates: Whether a level between two entries takes what lies between theirs, linearly in λ or in time.
  /// - Returns: Γ.
  /// - Throws: `DiffusionError` if the table says nothing about that level.
  public func gamma(at level: NoiseLevel, interpolates: Bool) throws(DiffusionError) -> Double {
    guard entries[0].alphaBar != nil else { return try gamma(at: level.time, interpolates: interpolates) }
    let own = level.alphaBar
    // Apart from rounding: 1e-9 of ᾱ and of 1 - ᾱ.
    if let entry = entries.first(where: { abs(($0.alphaBar ?? 0) - own) <= 1e-9 * min(own, 1 - own) }) {
      return entry.gamma
    }
    let after = entries.firstIndex { ($0.alphaBar ?? 0) < own }
    guard interpolates, let after, after > 0 else {
      throw unknown("ᾱ = \(own) (time \(level.time))", interpolates)
    }
    return between(entries[after - 1], entries[after], at: level.lambda) {
      -naturalLogarithm(1 / ($0.alphaBar ?? 0) - 1) / 2
    }
  }

  /// Γ at a time that one entry alone has.
  /// - Parameters:
  ///   - time: What the network is told.
  ///   - interpolates: Whether a time between two entries takes what lies between theirs, linearly.
  /// - Returns: Γ.
  /// - Throws: `DiffusionError` if the table says nothing about that time, or several levels have it.
  public func gamma(at time: Double, interpolates: Bool) throws(DiffusionError) -> Double {
    let same = entries.filter { $0.time == time }
    if same.count == 1 { return same[0].gamma }
    let after = entries.firstIndex { $0.time > time }
    guard same.isEmpty, interpolates, let after, after > 0 else { throw unknown("time \(time)", interpolates) }
    return between(entries[after - 1], entries[after], at: time) { $0.time }
  }

  private func between(_ low: Entry, _ high: Entry, at place: Double, by position: (Entry) -> Double) -> Double {
    let (start, end) = (position(low), position(high))
    // Noise alone is infinitely far away in λ: what is known nearer counts.
    guard end.isFinite else { return start.isFinite ? low.gamma : high.gamma }
    guard start.isFinite else { return high.gamma }
    return low.gamma + (place - start) / (end - start) * (high.gamma - low.gamma)
  }

  private func unknown(_ place: String, _ interpolates: Bool) -> DiffusionError {
    DiffusionError(
      .invalidData,
      "The Γ table has no entry for \(place)\(interpolates ? ", nor entries on both sides of it" : ""): "
        + "estimate Γ at the levels that are sampled.")
  }
}

extension GammaTable.Entry {
  /// What entries are ordered and told apart by.
  fileprivate var noise: Double { alphaBar.map { -$0 } ?? time }
}

// The file: {"format": "weft-gamma", "version": 2, "data_range": [min, max], "data_variance": v, "entries": [[time,
// alpha_bar, gamma], …]}; version 1 has [time, gamma]. "data_range" is null for data without bounds; where it is missing, the
// data are images in -1 … 1. "data_variance" is missing where it is not known.
// Numbers are written with the fewest digits that read back as the same Double.
extension GammaTable {
  private static let format = "weft-gamma"

  /// The table as JSON, one entry a line, always the same text for the same table.
  public var json: String {
    let hasLevels = entries[0].alphaBar != nil
    let lines = entries.map { entry in
      "    [\(([entry.time, entry.alphaBar, entry.gamma]).compactMap { $0 }.map { "\($0)" }.joined(separator: ", "))]"
    }
    return """
      {
        "format": "\(Self.format)",
        "version": \(hasLevels ? 2 : 1),\(dataMembers)
        "entries": [
      \(lines.joined(separator: ",\n"))
        ]
      }

      """
  }

  /// What is not as it is without being said.
  private var dataMembers: String {
    let range =
      dataRange == Self.imageRange
      ? "" : "\n  \"data_range\": \(dataRange.map { "[\($0.lowerBound), \($0.upperBound)]" } ?? "null"),"
    return range + (dataVariance.map { "\n  \"data_variance\": \($0)," } ?? "")
  }

  /// A table from the JSON that `json` gave.
  /// - Parameter json: The text.
  /// - Throws: `DiffusionError` that says what is wrong with the text.
  public init(json: String) throws(DiffusionError) {
    struct Header: Decodable {
      var format: String
      var version: Int
    }
    struct Body: Decodable {
      var entries: [[Double]]
      var range: [Double]?
      var variance: Double?

      enum Key: String, CodingKey {
        case entries
        case range = "data_range"
        case variance = "data_variance"
      }

      init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        entries = try members.decode([[Double]].self, forKey: .entries)
        range = members.contains(.range) ? try members.decode([Double]?.self, forKey: .range) : [-1, 1]
        variance = try members.decodeIfPresent(Double.self, forKey: .variance)
      }
    }
    let header = try Self.decode(Header.self, json)
    guard header.format == Self.format else {
      throw DiffusionError(
        .invalidData, "The file's format is \(header.format.quoted); a Γ table's is \"\(Self.format)\".")
    }
    guard (1...2).contains(header.version) else {
      throw DiffusionError(
        .invalidData, "The Γ table has version \(header.version); this program reads versions 1 and 2.")
    }
    let (count, form) = header.version == 1 ? (2, "a time and its Γ") : (3, "a time, its ᾱ and its Γ")
    var entries: [Entry] = []
    let body = try Self.decode(Body.self, json)
    let range: ClosedRange<Double>?
    switch body.range {
    case nil: range = nil
    case .some(let ends):
      guard ends.count == 2, ends[0] <= ends[1] else {
        throw DiffusionError(
          .invalidData, "The Γ table's \"data_range\" is not two numbers, the smallest and the largest of the data.")
      }
      range = ends[0]...ends[1]
    }
    for (index, numbers) in body.entries.enumerated() {
      guard numbers.count == count else {
        throw DiffusionError(
          .invalidData, "Entry \(index) of the Γ table has \(numbers.count) numbers instead of \(form).")
      }
      var entry = Entry(time: numbers[0], gamma: numbers[count - 1])
      if count == 3 { entry.alphaBar = numbers[1] }
      entries.append(entry)
    }
    try self.init(entries, dataRange: range, dataVariance: body.variance)
  }

  private static func decode<Part: Decodable>(_ type: Part.Type, _ json: String) throws(DiffusionError) -> Part {
    do { return try JSONDecoder().decode(type, from: Data(json.utf8)) } catch {
      throw DiffusionError(.invalidData, "This is no Γ table: \(problem(error)).")
    }
  }

  /// A decoder's error in this file's terms.
  private static func problem(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): return "it has no \"\(key.stringValue)\""
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context):
      let path = context.codingPath
      guard let name = path.first?.stringValue else {
        if case DecodingError.dataCorrupted = error { return "it is not JSON, or was cut short" }
        return "it is not a JSON object"
      }
      switch (name, path.dropFirst().first?.intValue) {
      case ("format", _): return "its \"format\" is not a text"
      case ("version", _): return "its \"version\" is not a whole number"
      case ("data_range", _), ("data_variance", _): return "its \"\(name)\" is not a number, or two"
      case (_, let entry?): return "entry \(entry) is not a list of numbers"
      default: return "its \"entries\" are not a list"
      }
    default: return "it is not JSON"
    }
  }
}
