/// The plain form of labelled spans: `[Mr. [Reed PER]'s brother PER] left.`
///
/// For reading, not for parsing: brackets of the text itself look the same. Spans that cross
/// others carry a number at both brackets, `[1 … [2 … 1 PER] … 2 LOC]`, since brackets alone
/// cannot say which closes which.
enum BracketedText {
  static func render(_ cells: TextCells) -> String {
    let spans = cells.spans
    var numbers: [Int: Int] = [:]
    for index in spans.indices where spans.contains(where: { $0.crosses(spans[index]) }) {
      numbers[index] = numbers.count + 1
    }

    var text = ""
    for position in 0...cells.cells.count {
      // Of the spans that end here, those that began last close first.
      for index in spans.indices.reversed() where spans[index].end == position {
        let label = DisplayWidth.visible(spans[index].label)
        text += " " + (numbers[index].map { "\($0) " } ?? "") + label + "]"
      }
      for index in spans.indices where spans[index].start == position {
        text += "[" + (numbers[index].map { "\($0) " } ?? "")
      }
      guard position < cells.cells.count else { continue }
      text += cells.cells[position].isLineBreak ? "\n" : cells.cells[position].text
    }
    return text
  }
}
