import ArgumentParser
import Diffusion

/// Runs what may refuse an option: that is a wrong call, exit status 64, not a failure.
func checkingOptions<Result>(_ body: () throws(DiffusionError) -> Result) throws -> Result {
  do { return try body() } catch {
    guard error.kind == .invalidOption else { throw error }
    throw ValidationError(error.message)
  }
}

/// Ends a command whose options turn out not to fit its input with one line and exit status 64. Thrown on, the error
/// would come with the usage of `weft` itself.
func endingWrongCalls(_ body: () async throws -> Void) async throws {
  do { try await body() } catch let error as ValidationError {
    note("Error: \(error.message)")
    throw ExitCode(ExitStatus.usage.rawValue)
  }
}
