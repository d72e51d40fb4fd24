import Conformance
import Engine
import Testing

/// The kit catches backends that are wrong, in every family that can notice.
@Suite struct KitCanFailTests {
  typealias Family = ConformanceCase.Family

  private static let floatFamilies: [Family] = [
    .store, .dense, .layerNormalization, .embeddingSum, .rotate, .pack, .attention, .posteriorMean,
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
    #expect(await failures(of: backend).isSuperset(of: [.selection, .typedSelection]))
  }

  @Test func dropsACell() async {
    let backend = WrappedBackend(after: { downloads in
      downloads.map { array in
        // The count, then its guard; the list follows in a download of its own.
        array.changingIntegers { if $0.count == 2, $0[0] > 0 { $0[0] -= 1 } }
      }
    })
    #expect(await failures(of: backend).isSuperset(of: [.selection, .typedSelection]))
  }

  @Test func listsACellTwice() async {
    let backend = WrappedBackend(after: { downloads in
      downloads.map { array in
        array.changingIntegers { words in
          if words.count > 12 { words.replaceSubrange(0..<4, with: words[4..<8]) }
        }
      }
    })
    #expect(await failures(of: backend).isSuperset(of: [.selection, .typedSelection]))
  }

  @Test func keepsCellsEqualToTheThreshold() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard case .pairwise(var product) = operation else { return operation }
        switch product.epilogue {
        case .store, .average: break
        case .select(var selection):
          selection.threshold = selection.threshold.nextDown
          product.epilogue = .select(selection)
        case .selectTyped(var selection, let biases):
          selection.threshold = selection.threshold.nextDown
          product.epilogue = .selectTyped(selection, biases)
        }
        return .pairwise(product)
      }
    })
    #expect(await failures(of: backend).isSuperset(of: [.selection, .typedSelection]))
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
    #expect(await failures(of: backend).contains(.isolation))
  }

  @Test func forgetsTheResidual() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard case .dense(var layer) = operation else { return operation }
        layer.residual = nil
        return .dense(layer)
      }
    })
    #expect(await failures(of: backend) == [.dense])
  }

  @Test func takesTheNextNoiseLevel() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard case .pairwise(var product) = operation, case .average(var average) = product.epilogue else {
          return operation
        }
        average.levels.first -= 1
        product.epilogue = .average(average)
        return .pairwise(product)
      }
    })
    #expect(await failures(of: backend).contains(.posteriorMean))
  }

  @Test func forgetsToRotate() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      try submission.changing { operation in
        guard case .pack(var pack) = operation else { return operation }
        pack.rotary = nil
        return .pack(pack)
      }
    })
    #expect(await failures(of: backend) == [.pack])
  }

  @Test func reportsEveryErrorAsADeviceFailure() async {
    let backend = WrappedBackend(before: { submission throws(EngineError) in
      throw EngineError(.deviceFailure, "broken")
    })
    #expect(await failures(of: backend) == Set(Family.allCases))
  }
}

extension Submission {
  /// The submission with other operations.
  fileprivate func changing(
    _ change: (Operation) -> Operation
  ) throws(EngineError) -> Submission {
    var changed = Submission()
    for upload in uploads { try changed.upload(upload.elements, to: upload.tensor) }
    for operation in operations { try changed.append(change(operation)) }
    for download in downloads { try changed.download(download.tensor, count: download.count) }
    return changed
  }
}
