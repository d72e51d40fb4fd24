import Geometry

extension HubnessReport {
  /// One object, on one line.
  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.name("vectors")
    writer.string(name)
    for (name, value) in [("count", count), ("dimension", dimension), ("k", k)] {
      writer.name(name)
      writer.integer(value)
    }
    writer.name("metric")
    writer.string(metric.rawValue)
    writer.name("hubness")
    write(kinds[0], to: &writer)
    if kinds.count > 1, let candidates {
      writer.name("reduction")
      writer.string(kinds[1].title)
      writer.name("candidates")
      writer.integer(candidates)
      writer.name("reduced")
      write(kinds[1], to: &writer)
    }
    if let angles {
      writer.name("angles")
      writer.beginObject()
      writer.name("pairs")
      writer.integer(angles.pairs)
      for (name, value) in [
        ("cosine_mean", angles.mean), ("cosine_variance", angles.variance), ("deviation", angles.deviation),
      ] {
        writer.name(name)
        writer.number(value)
      }
      writer.endObject()
    }
    writer.name("device")
    writer.string(device)
    writer.endObject()
    writer.newline()
    return writer.string
  }

  private func write(_ kind: Kind, to writer: inout JSONWriter) {
    let measures = kind.measures
    writer.beginObject()
    for (name, value) in [
      ("skewness", measures.skewness), ("robin_hood", measures.robinHood), ("gini", measures.gini),
      ("atkinson", measures.atkinson), ("antihub_share", measures.antihubShare), ("hub_share", measures.hubShare),
      ("hub_occurrence", measures.hubOccurrence), ("largest_share", measures.largestShare),
    ] {
      writer.name(name)
      writer.number(value)
    }
    writer.name("mean_distance_correlation")
    if let correlation = kind.correlation { writer.number(correlation) } else { writer.null() }
    writer.name("hub_count")
    writer.integer(measures.hubCount)
    writer.name("largest")
    writer.integer(measures.largest)
    writer.name("hubs")
    writer.beginArray()
    for index in kind.counts.largest(Self.namedHubs) {
      writer.beginObject()
      writer.name("index")
      writer.integer(index)
      writer.name("count")
      writer.integer(kind.counts.counts[index])
      writer.endObject()
    }
    writer.endArray()
    writer.name("histogram")
    writer.beginArray()
    for count in kind.counts.histogram { writer.integer(count) }
    writer.endArray()
    writer.endObject()
  }
}
