internal import Engine
internal import OpenCL

extension EngineError {
  init(_ error: OpenCLError) {
    self.init(error.status.isExhaustion ? .exhausted : .deviceFailure, error.description)
  }
}
