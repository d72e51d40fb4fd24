import Conformance
import Diffusion
import Engine
import Geometry
import Networks
import Testing
import TokenPairs

/// The kit catches backends that are wrong, in every family that can notice.
@Suite struct KitCanFailTests {
  typealias Family = ConformanceFamily

  private static let floatFamilies: [Family] = [
    "store", "dense", "layerNormalization", "embeddingSum", "rotate", "pack", "attention", "posteriorMean", "denoise",
    "topK", "pairLoss", "rowLoss", "weightGradient", "columnSum", "optimizer", "convolution", "groupNormalization",
    "timeEmbedding", "pixelOrder",
  ]

  /// The families with a failed case in the small run.
  private func failures(of backend: any Backend) async -> Set<Family> {
    let outcomes = await ConformanceKit.run(on: backend, small: true)
    return Set(outcomes.filter { $0.failure != nil }.map(\.family))
  }

  @Test func oneElementOffByOneHundredth() async {
    let backend = WrappedBackend(after: { downloads in
      downloads.map { array in array.changingFloats { $0[0] += 0.01 } }
    })
    #expect(await failures(of: backend).isSuperset(of: Self.floatFamilies))
  }

  @Test func oneElementNotANumber() async {
    let backend = WrappedBackend(after: { downloads in
      downloads.map { array in array.changingFloats { $0[0] = .nan } }
    })
    #expect(await failures(of: backend).isSuperset(of: Self.floatFamilies))
  }

  @Test func writesBehindTheResult() async {
    let backend = WrappedBackend(after: { downloads in
      downloads.map { array in array.changingFloats { $0[$0.count - 1] = 0 } }
    })
    #expect(await failures(of: backend).isSuperset(of: Self.floatFamilies))
  }

  @Test func writesBehindTheList() async {
    let backend = WrappedBackend(after: { downloads in
      downloads.map { array in array.changingIntegers { $0[$0.count - 1] = 0 } }
    })
    #expect(await failures(of: backend).isSuperset(of: ["selection", "typedSelection", "topK"]))
  }

  @Test func dropsACell() async {
    let backend = WrappedBackend(after: { downloads in
      // The counts come first, the list in a download of its own.
      downloads.enumerated().map { index, array in
        array.changingIntegers { if index == 0, $0[0] > 0 { $0[0] -= 1 } }
      }
    })
    #expect(await failures(of: backend).isSuperset(of: ["selection", "typedSelection"]))
  }

  @Test func listsACellTwice() async {
    let backend = WrappedBackend(after: { downloads in
      downloads.map { array in
        array.changingIntegers { words in
          if words.count > 12 { words.replaceSubrange(0..<4, with: words[4..<8]) }
        }
      }
    })
    #expect(await failures(of: backend).isSuperset(of: ["selection", "typedSelection"]))
  }

  @Test func keepsCellsEqualToTheThreshold() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      let bounds = submission.operations.compactMap {
        (($0 as? PairwiseProduct)?.epilogue as? CellSelection)?.thresholds.storage
      }
      return try submission.changing(uploads: { tensor, elements in
        guard bounds.contains(where: { $0 === tensor.storage }) else { return elements }
        return elements.changingFloats { for at in $0.indices { $0[at] = $0[at].nextDown } }
      })
    })
    #expect(await failures(of: backend).isSuperset(of: ["selection", "typedSelection"]))
  }

  @Test func dependsOnTheBatch() async {
    // One bit more for every tensor of more than a few rows.
    let backend = WrappedBackend(after: { downloads in
      downloads.map { array in
        array.changingFloats { values in
          guard values.count > 40 else { return }
          for at in values.indices { values[at] = values[at].nextUp }
        }
      }
    })
    #expect(await failures(of: backend).contains("isolation"))
  }

  @Test func forgetsTheResidual() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard var layer = operation as? DenseLayer else { return operation }
        layer.residual = nil
        return layer
      }
    })
    #expect(await failures(of: backend) == ["dense"])
  }

  @Test func movesTheWindow() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard var convolution = operation as? Convolution, convolution.stride == 2 else { return operation }
        // The same size where an image has an even number of lines and columns, or the window is one pixel.
        convolution.padding = convolution.padding == .around ? .after : .around
        return convolution
      }
    })
    #expect(await failures(of: backend) == ["convolution"])
  }

  @Test func normalisesAsOneGroup() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard var normalization = operation as? GroupNormalization else { return operation }
        normalization.groups = 1
        return normalization
      }
    })
    #expect(await failures(of: backend) == ["groupNormalization"])
  }

  @Test func takesTheNextNoiseLevel() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard var product = operation as? PairwiseProduct, var average = product.epilogue as? MixtureAverage else {
          return operation
        }
        average.levels.first -= 1
        product.epilogue = average
        return product
      }
    })
    #expect(await failures(of: backend).contains("posteriorMean"))
  }

  @Test func takesWhatIsExcluded() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      let excluded = submission.operations.compactMap {
        (($0 as? PairwiseProduct)?.epilogue as? TopKSelection)?.excluded.storage
      }
      return try submission.changing(uploads: { tensor, elements in
        guard excluded.contains(where: { $0 === tensor.storage }) else { return elements }
        return elements.changingIntegers { for at in $0.indices { $0[at] = -1 } }
      })
    })
    #expect(await failures(of: backend) == ["topK"])
  }

  @Test func takesTheLastOfEqualColumns() async {
    let backend = WrappedBackend(after: { downloads in
      // Lists, indices, values.
      guard downloads.count == 3, case .float32(let values) = downloads[2] else { return downloads }
      var swapped = downloads
      swapped[1] = downloads[1].changingIntegers { indices in
        if let at = values.indices.dropFirst().first(where: { values[$0] == values[$0 - 1] }) {
          indices.swapAt(at, at - 1)
        }
      }
      return swapped
    })
    #expect(await failures(of: backend).contains("topK"))
  }

  @Test func writesWhatIsNotKept() async {
    // A prediction that nobody asked for: elements that are poison on the reference.
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard var step = operation as? DenoiseStep, step.output != nil, step.keptX0 == nil else { return operation }
        step.keptX0 = submission.downloads[1].tensor
        return step
      }
    })
    #expect(await failures(of: backend) == ["denoise"])
  }

  @Test func forgetsToRotate() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard var pack = operation as? PackColumns else { return operation }
        pack.rotary = nil
        return pack
      }
    })
    #expect(await failures(of: backend) == ["pack"])
  }

  @Test func reportsEveryErrorAsADeviceFailure() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      throw EngineError(.deviceFailure, "broken")
    })
    #expect(await failures(of: backend) == Set(ConformanceKit.cases.map(\.family)))
  }
}

extension Submission {
  /// The submission with other operations, or other numbers uploaded.
  fileprivate func changing(
    _ change: (any DeviceOperation) -> any DeviceOperation = { $0 },
    uploads changeUpload: (Tensor, HostArray) -> HostArray = { $1 }
  ) throws(EngineError) -> Submission {
    var changed = Submission()
    for upload in uploads { try changed.upload(changeUpload(upload.tensor, upload.elements), to: upload.tensor) }
    for operation in operations { try changed.append(change(operation)) }
    for download in downloads { try changed.download(download.tensor, count: download.count) }
    return changed
  }
}
