import Engine
import ModelFiles
import Testing

@testable import Networks

/// Values of a pass share memory only while no other needs it.
@Suite struct BufferPlanTests {
  private func check(_ lives: [BufferPlan.Life], _ plan: BufferPlan) {
    #expect(plan.assignment.count == lives.count)
    for (index, life) in lives.enumerated() {
      #expect(plan.buffers[plan.assignment[index]] >= life.bytes)
      for other in 0..<index where plan.assignment[other] == plan.assignment[index] {
        #expect(!lives[other].steps.overlaps(life.steps), "values \(other) and \(index)")
      }
    }
  }

  /// Worked by hand: three values of which the first and the last never meet.
  @Test func valuesThatNeverMeetShare() {
    let lives = [
      BufferPlan.Life(bytes: 100, steps: 0...1), BufferPlan.Life(bytes: 40, steps: 1...2),
      BufferPlan.Life(bytes: 80, steps: 2...3),
    ]
    let plan = BufferPlan(lives)
    #expect(plan.buffers == [100, 40])
    #expect(plan.assignment == [0, 1, 0])
  }

  /// A value that is read by the step that writes another may not lie where that one goes.
  @Test func neighboursDoNotShare() {
    let lives = (0..<6).map { BufferPlan.Life(bytes: 8, steps: $0...$0 + 1) }
    let plan = BufferPlan(lives)
    check(lives, plan)
    #expect(plan.buffers == [8, 8])
  }

  @Test func anyLives() {
    var state: UInt64 = 5
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<200 {
      let lives = (0..<1 + next(30)).map { _ in
        let start = next(40)
        return BufferPlan.Life(bytes: 1 + next(1000), steps: start...start + next(12))
      }
      let plan = BufferPlan(lives)
      check(lives, plan)
      // Nothing can take less than what is needed at one time.
      let least = (0..<60).map { step in lives.filter { $0.steps.contains(step) }.reduce(0) { $0 + $1.bytes } }.max()
      #expect(plan.bytes >= least ?? 0)
      #expect(plan.bytes <= lives.reduce(0) { $0 + $1.bytes })
    }
  }

  /// Sequences of other lengths share memory as the longest does: together they take no more than each by itself.
  @Test(arguments: [1, 4, 16, 64]) func sequencesTakeNoMoreTogether(panelWidth: Int) {
    let graph = TextGraph.bert(
      BertConfiguration(
        hiddenSize: 24, layerCount: 4, headCount: 3, intermediateSize: 40, vocabularySize: 50, maximumPositions: 64))
    let plan = graph.graph.memoryPlan(in: WeightLayout(panelWidth: panelWidth))
    for lengths in [[1], [64], [3, 1, 17], [64, 64], [1, 1, 1, 1, 1, 1, 1], Array(1...64)] {
      let together = plan.memory(of: .tokens(Segments(lengths: lengths)))
      let alone = lengths.map { plan.memory(of: .tokens($0)) }
      #expect(together.pass <= alone.reduce(0) { $0 + $1.pass })
      #expect(together.unshared == alone.reduce(0) { $0 + $1.unshared })
      #expect(together.pass < together.unshared && together.largestBuffer <= together.pass)
    }
  }

  /// BERT base needs no more than what was written down for it by hand: six rows of the hidden width, one of the
  /// intermediate, and the keys.
  @Test func anEncodersLayersShareTheirMemory() {
    let graph = TextGraph.bert(
      BertConfiguration(
        hiddenSize: 768, layerCount: 12, headCount: 12, intermediateSize: 3072, vocabularySize: 30_522))
    #expect(graph.graph.parameterCount == 108_891_648)
    let memory = graph.graph.memory(of: .tokens(512), in: WeightLayout(panelWidth: 16))
    #expect(memory.pass <= 4 * 512 * (6 * 768 + 3072 + 768))
    #expect(memory.pass * 12 < memory.unshared)
  }

  /// The published sizes of google/ddpm-cifar10-32 and google/ddpm-celebahq-256.
  @Test func publishedNetworksHaveTheirSizes() {
    #expect(ImageGraph.unet2D(.cifar).graph.parameterCount == 35_746_307)
    #expect(ImageGraph.unet2D(.celebA).graph.parameterCount == 113_673_219)
  }

  @Test func aBatchOf64IsBelowSixGigabytes() {
    let memory = ImageGraph.unet2D(.cifar).memory(images: 64, in: WeightLayout(panelWidth: 64))
    #expect(memory.weights + memory.pass < 3_000_000_000)
    #expect(memory.pass * 3 < memory.unshared)
    // Twice as many images take twice the memory.
    #expect(ImageGraph.unet2D(.cifar).memory(images: 128, in: WeightLayout(panelWidth: 64)).pass == 2 * memory.pass)
  }

  /// Every value is written before it is read.
  @Test func stepsFollowTheirInputs() {
    let encoder = BertConfiguration(
      hiddenSize: 8, layerCount: 3, headCount: 2, intermediateSize: 16, vocabularySize: 10)
    for graph in [ImageGraph.unet2D(.cifar).graph, ImageGraph.unet2D(.celebA).graph, TextGraph.bert(encoder).graph] {
      var written: Set<Value> = []
      for step in graph.steps {
        #expect(step.reads.allSatisfy { written.contains($0) }, "\(step.title)")
        written.formUnion(step.writes)
      }
      #expect(written == Set(graph.values))
    }
  }
}
