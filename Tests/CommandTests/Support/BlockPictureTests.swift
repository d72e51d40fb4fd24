import Testing

@testable import WeftCommand

@Suite struct BlockPictureTests {
  @Test func twoRowsShareALine() {
    let picture = BlockPicture([-1, 1, -1, 1, 0, 1], shape: [3, 2], terminal: Terminal())
    #expect(picture.render(rowLimit: 1) == " █\n▒█\n")
  }

  @Test func imagesStandSideBySideAsFarAsTheyFit() {
    let values = [Float](repeating: 1, count: 5 * 4)
    let picture = BlockPicture(values, shape: [2, 2], terminal: Terminal(width: 7))
    #expect(picture.render(rowLimit: 9) == "██  ██\n\n██  ██\n\n██\n")
    #expect(picture.render(rowLimit: 1) == "██  ██\n")
  }

  @Test func coloursAreTheTerminalsOwn() {
    let terminal = Terminal(colours: .many)
    let grey = BlockPicture([-1, 1], shape: [2, 1], terminal: terminal)
    #expect(grey.render(rowLimit: 1) == "\u{1B}[38;5;16;48;5;231m▀\u{1B}[0m\n")
    let red = BlockPicture([1, -1, -1], shape: [3, 1, 1], terminal: terminal)
    #expect(red.render(rowLimit: 1) == "\u{1B}[38;5;196;49m▀\u{1B}[0m\n")
  }

  @Test func numbersOutsideAreTheEnds() {
    let picture = BlockPicture([-9, 9, .nan, .infinity], shape: [1, 4], terminal: Terminal(isUnicode: false))
    #expect(picture.render(rowLimit: 1) == " @ @\n")
  }
}
