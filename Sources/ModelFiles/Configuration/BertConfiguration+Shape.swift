extension BertConfiguration {
  /// A BERT of a given shape with the usual remaining settings. The caller answers for the numbers.
  package init(
    hiddenSize: Int, layerCount: Int, headCount: Int, intermediateSize: Int, vocabularySize: Int,
    maximumPositions: Int = 512
  ) {
    precondition(hiddenSize > 0 && headCount > 0 && hiddenSize.isMultiple(of: headCount))
    self.hiddenSize = hiddenSize
    self.layerCount = layerCount
    self.headCount = headCount
    self.intermediateSize = intermediateSize
    self.vocabularySize = vocabularySize
    self.maximumPositions = maximumPositions
    segmentCount = 2
    layerNormEpsilon = 1e-12
    activation = .gelu
  }
}
