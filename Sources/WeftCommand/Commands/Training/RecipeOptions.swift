public import ArgumentParser
public import TokenPairs
import Weft

/// How heads are trained.
struct RecipeOptions: ParsableArguments {
  private static let usual = TrainingRecipe(task: .entities)

  @Option(
    help: ArgumentHelp(
      "The kind of heads: efficient (one query and key for all labels), or globalpointer (for each label its own).",
      valueName: "kind"))
  var head = Self.usual.head

  @Option(parsing: .unconditional, help: ArgumentHelp("Channels of a query and of a key.", valueName: "n"))
  var headSize = Self.usual.headSize

  @Option(
    help: ArgumentHelp(
      "What is minimised: zlpr, made for a few right cells among n², or bce, binary cross-entropy.", valueName: "name"))
  var loss = Self.usual.loss

  @Option(parsing: .unconditional, help: ArgumentHelp("Passes over the training data.", valueName: "n"))
  var epochs = Self.usual.epochs

  @Option(parsing: .unconditional, help: ArgumentHelp("Windows of text a step.", valueName: "n"))
  var batch = Self.usual.batchSize

  @Option(parsing: .unconditional, help: ArgumentHelp("AdamW's learning rate at its peak.", valueName: "number"))
  var learningRate = Self.usual.learningRate

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The share of all steps in which the learning rate grows; then it falls.", valueName: "share"))
  var warmUp = Self.usual.warmUpShare

  @Option(parsing: .unconditional, help: ArgumentHelp("Weight decay, of weights alone.", valueName: "number"))
  var weightDecay = Self.usual.weightDecay

  @Option(parsing: .unconditional, help: ArgumentHelp("The largest norm of a step's gradient.", valueName: "number"))
  var clip = Self.usual.maximumGradientNorm

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Take this share of each label away, and give every cell as much of its type's frequency.", valueName: "share"))
  var labelSmoothing = Self.usual.labelSmoothing

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Mix windows by weights from Beta(α, α); 0 mixes none.", valueName: "alpha"))
  var mixup = Self.usual.mixupAlpha

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Stop after this many epochs without a better F1; 0 never does.", valueName: "n"))
  var patience = Self.usual.patience

  @Option(
    help: ArgumentHelp("Settles the first weights, the order of the texts and the mixing (0).", valueName: "seed"),
    transform: { try Choice.seed($0) })
  var seed = Self.usual.seed

  func recipe(for task: ModelTask) -> TrainingRecipe {
    var recipe = TrainingRecipe(task: task)
    (recipe.head, recipe.headSize, recipe.loss) = (head, headSize, loss)
    (recipe.epochs, recipe.batchSize, recipe.patience, recipe.seed) = (epochs, batch, patience, seed)
    (recipe.learningRate, recipe.warmUpShare, recipe.weightDecay) = (learningRate, warmUp, weightDecay)
    (recipe.maximumGradientNorm, recipe.labelSmoothing, recipe.mixupAlpha) = (clip, labelSmoothing, mixup)
    return recipe
  }
}

extension TrainingRecipe.Loss: ExpressibleByArgument {}
extension FeaturePrecision: ExpressibleByArgument {}
