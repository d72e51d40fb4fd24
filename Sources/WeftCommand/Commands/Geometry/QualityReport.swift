import Foundation
import Geometry

/// What `weft quality` tells.
struct QualityReport {
  let samples: QualitySet
  let reference: QualitySet
  let distance: FrechetDistance
  let overlap: PrecisionAndRecall
  let device: String

  /// What looks like two different units; nil if nothing does.
  static func remark(on samples: QualitySet, _ reference: QualitySet, isRanged: Bool) -> String? {
    func width(_ set: QualitySet) -> Double { Double(set.range.upperBound) - Double(set.range.lowerBound) }
    let (mine, theirs) = (width(samples), width(reference))
    guard mine > 4 * theirs || theirs > 4 * mine else { return nil }
    func text(_ set: QualitySet) -> String { "\(set.name) lies in \(set.range.lowerBound) … \(set.range.upperBound)" }
    return "\(text(samples)), \(text(reference)): are these the same units? "
      + (isRanged ? "--range gave the latter's" : "--range changes the latter's")
  }

  /// What to think of covariances of few samples; nil of enough.
  static func remark(onFew set: QualitySet) -> String? {
    guard set.count <= set.elements else { return nil }
    return
      "\(set.name) holds \(set.count) samples of \(set.elements) numbers: their covariance is singular, and a Fréchet "
      + "distance is only comparable with others of as many samples; more than \(set.elements) say more"
  }

  func text(on terminal: Terminal) -> String {
    func share(_ part: Int, _ whole: Int) -> String {
      String(format: "%.4f", Double(part) / Double(whole)) + "  \(Quantity.grouped(part)) of \(Quantity.grouped(whole))"
    }
    let bold = { (text: String) in Style.bold.apply(to: text, colours: terminal.colours) }
    return bold(samples.name) + ": \(Quantity.grouped(samples.count)) samples of \(Quantity.grouped(samples.elements)) "
      + "numbers, against \(Quantity.grouped(reference.count)) of \(reference.name)\n\n"
      + String(
        format: "  Fréchet distance  %.6g  means %.4g, covariances %.4g\n", distance.value, distance.means,
        distance.covariances)
      + "  precision         \(share(overlap.preciseSamples, overlap.sampleCount))\n"
      + "  recall            \(share(overlap.recalledReferences, overlap.referenceCount))\n"
  }

  /// One object, on one line.
  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, value) in [("samples", samples.name), ("reference", reference.name)] {
      writer.name(name)
      writer.string(value)
    }
    for (name, value) in [
      ("count", samples.count), ("reference_count", reference.count), ("elements", samples.elements), ("k", overlap.k),
    ] {
      writer.name(name)
      writer.integer(value)
    }
    for (name, value) in [
      ("frechet_distance", distance.value), ("means", distance.means), ("covariances", distance.covariances),
      ("precision", overlap.precision), ("recall", overlap.recall),
    ] {
      writer.name(name)
      writer.number(value)
    }
    writer.name("device")
    writer.string(device)
    writer.endObject()
    writer.newline()
    return writer.string
  }
}
