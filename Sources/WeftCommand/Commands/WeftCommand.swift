import ArgumentParser

@main
struct WeftCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weft",
    abstract: "Find entities and relations in text, draw samples from noise, search vectors, on any OpenCL device.",
    discussion: """
      Give it lines and it gives back entities, nested ones too:

        echo '{"text": "Mr. Reed met his aunt in London."}' | weft extract

      Give it images or points and it draws others like them, with any of its samplers:

        weft sample --data DIGITS --count 64 --output grid.png

      Give it texts whose answers are known and it learns to find the like:

        weft train --encoder BERT --data TRAIN.jsonl --dev DEV.jsonl --task entities --output MODEL

      Give it vectors and it tells who is everybody's nearest neighbour, and which classes of a layer can never win:

        weft hubness vectors.npy -k 10
        weft argmaxable model.safetensors --tensor lm_head.weight

      It computes on the best OpenCL device it finds (see 'weft devices'), and finds entities with the model that \
      comes with it unless --model names another. New here? Try 'weft demo'.
      """,
    version: "0.1.0",
    subcommands: [
      ExtractCommand.self, ShowCommand.self, EvaluateCommand.self, TokenizeCommand.self, TrainCommand.self,
      ImportCommand.self, SampleCommand.self, ScheduleCommand.self, HubnessCommand.self, HubsCommand.self,
      ArgmaxableCommand.self, QualityCommand.self, DevicesCommand.self, WarmCommand.self, TuneCommand.self,
      BenchCommand.self, ConformanceCommand.self, DemoCommand.self,
    ])
}
