/// Lays row-major vectors out as panels, turning them by their positions on the way if asked to.
package struct PackColumns: Sendable {
  package var source: HeadSlices
  package var extent: Extent
  package var panels: Panels
  /// Turns each vector by its index within its segment.
  package var rotary: RotaryTable?

  package init(_ source: HeadSlices, extent: Extent, into panels: Panels, rotary: RotaryTable? = nil) {
    self.source = source
    self.extent = extent
    self.panels = panels
    self.rotary = rotary
  }

  func validate() throws(EngineError) {
    let name: StaticString = "pack"
    try source.validate(name, rows: extent.rowCount)
    try require(
      source.heads == panels.heads && source.channels == panels.channels, name,
      "the source has \(source.heads) heads of \(source.channels) channels, the panels \(panels.heads) of \(panels.channels)"
    )
    try panels.requirePanels(of: extent, name)
    try rotary?.validate(name, channels: source.channels, positions: extent.longest)
  }
}
