import ArgumentParser

@main
struct WeftCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weft",
    abstract: "Find people, places and more in text, on any OpenCL device.",
    discussion: """
      Give it lines and it gives back entities, nested ones too:

        echo '{"text": "Mr. Reed met his aunt in London."}' | weft extract

      It computes on the best OpenCL device it finds (see 'weft devices'), with the model that comes with it unless \
      --model names another. New here? Try 'weft demo'.
      """,
    version: "0.1.0",
    subcommands: [
      ExtractCommand.self, EvaluateCommand.self, TokenizeCommand.self, DevicesCommand.self, BenchCommand.self,
      ConformanceCommand.self, DemoCommand.self,
    ])
}
