package import ModelFiles
package import Networks

/// The files of an encoder in a directory: its shape, its weights and its tokenizer, which fit each other.
package struct EncoderFiles: Sendable {
  package let directory: String
  package let configuration: BertConfiguration
  package let checkpoint: Checkpoint
  package let tokenizer: WordPieceTokenizer

  /// The encoder as steps.
  package var graph: TextGraph { .bert(configuration) }

  /// Content tokens of a window: two positions are for CLS and SEP.
  package var windowCapacity: Int { configuration.maximumPositions - 2 }

  /// Opens and checks the files.
  /// - Throws: `ModelFileError` that names file and field.
  package init(directory: String) throws(ModelFileError) {
    self.directory = directory
    configuration = try BertConfiguration(directory: directory)
    checkpoint = try Checkpoint(directory: directory)
    tokenizer = try Self.tokenizer(in: directory, for: configuration)
    guard configuration.maximumPositions > 2 else {
      throw ModelFileError(
        file: directory + "/config.json", subject: "field 'max_position_embeddings'",
        problem: "\(configuration.maximumPositions) positions hold no more than the marks that frame a text")
    }
  }

  /// Reads the tokenizer of a directory.
  /// - Throws: `ModelFileError` if it has more tokens than the encoder embeds.
  static func tokenizer(
    in directory: String, for configuration: BertConfiguration
  ) throws(ModelFileError) -> WordPieceTokenizer {
    let tokenizer = try WordPieceTokenizer(directory: directory)
    guard tokenizer.vocabularySize <= configuration.vocabularySize else {
      throw ModelFileError(
        file: directory,
        problem:
          "the tokenizer knows \(tokenizer.vocabularySize) tokens, the encoder embeds \(configuration.vocabularySize)")
    }
    return tokenizer
  }

  /// What the names of the encoder's tensors start with: nothing in a directory of the encoder alone, `bert.` or the like
  /// in one of a whole model.
  /// - Throws: `ModelFileError` if there is no encoder among the tensors, or more than one.
  package func prefix() throws(ModelFileError) -> String {
    let landmark = "embeddings.word_embeddings.weight"
    let prefixes = checkpoint.names.filter { $0 == landmark || $0.hasSuffix("." + landmark) }
      .map { String($0.dropLast(landmark.count)) }
    guard let prefix = prefixes.first else {
      throw ModelFileError(
        file: checkpoint.path, problem: "holds no BERT encoder: no tensor's name ends in \(landmark.quoted)")
    }
    guard prefixes.count == 1 else {
      throw ModelFileError(
        file: checkpoint.path,
        problem: "holds \(prefixes.count) encoders: their names start with "
          + prefixes.map(\.quoted).joined(separator: ", "))
    }
    return prefix
  }
}
