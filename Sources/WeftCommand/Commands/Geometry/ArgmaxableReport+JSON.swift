import Geometry

extension ArgmaxableReport {
  /// One object, with every class that is not argmaxable.
  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.name("file")
    writer.string(layer.file)
    writer.name("tensor")
    writer.string(layer.tensor)
    writer.name("bias")
    if let bias = layer.biasTensor { writer.string(bias) } else { writer.null() }
    writer.name("box")
    if let box = layer.box { writer.number(box) } else { writer.null() }
    writer.name("classes")
    writer.integer(layer.classes.count)
    writer.name("dimension")
    writer.integer(layer.classes.dimension)
    writer.name("counts")
    writer.beginObject()
    for verdict in Verdict.allCases {
      writer.name(verdict.rawValue)
      writer.integer(summary.count(verdict))
    }
    writer.endObject()
    for verdict in [Verdict.unargmaxable, .tied, .undecided] {
      writer.name(verdict.rawValue)
      writer.beginArray()
      for proof in summary.proofs(verdict) { write(proof, to: &writer) }
      writer.endArray()
    }
    writer.name("seconds")
    writer.number(seconds)
    writer.name("processor_seconds")
    writer.number(processorSeconds())
    writer.name("device")
    writer.string(device)
    writer.endObject()
    writer.newline()
    return writer.string
  }

  private func write(_ proof: ClassProof, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("class")
    writer.integer(proof.index)
    if let word = layer.word(proof.index) {
      writer.name("word")
      writer.string(word)
    }
    switch proof.claim {
    case .argmaxable: break
    case .unargmaxable(let combination): write(combination, to: &writer)
    case .tied(let other, let together):
      writer.name("with")
      writer.integer(other)
      switch together {
      case .above:
        writer.name("together_argmaxable")
        writer.boolean(true)
      case .below(let combination):
        writer.name("together_argmaxable")
        writer.boolean(false)
        write(combination, to: &writer)
      case .unsaid: break
      }
    case .undecided(_, let bound):
      writer.name("bound")
      writer.number(bound)
    }
    writer.endObject()
  }

  private func write(_ combination: Combination, to writer: inout JSONWriter) {
    writer.name("below")
    writer.beginArray()
    for index in combination.classes { writer.integer(index) }
    writer.endArray()
  }
}
