/// Writes a report to standard output. A reader that has gone is no failure.
/// - Throws: `OutputError` if it cannot be written, as on a full disk.
func printReport(_ text: String) throws(OutputError) {
  do throws(OutputError) {
    let output = try OutputFile(path: nil)
    try output.write(text.utf8)
    try output.commit()
  } catch {
    guard error == .readerLeft else { throw error }
  }
}
