import ModelFiles
import Testing

@testable import Networks

/// Values of a pass share memory only while no other needs it.
@Suite struct BufferPlanTests {
  private func check(_ lives: [BufferPlan.Life], _ plan: BufferPlan) {
    #expect(plan.places.count == lives.count)
    for (index, life) in lives.enumerated() {
      #expect(plan.buffers[plan.places[index]] >= life.bytes)
      for other in 0..<index where plan.places[other] == plan.places[index] {
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
    #expect(plan.places == [0, 1, 0])
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

  /// The published sizes of google/ddpm-cifar10-32 and google/ddpm-celebahq-256.
  @Test func publishedNetworksHaveTheirSizes() {
    #expect(UNetGraph(.cifar).parameterCount == 35_746_307)
    #expect(UNetGraph(.celebA).parameterCount == 113_673_219)
  }

  @Test func aBatchOf64IsBelowSixGigabytes() {
    let memory = UNetGraph(.cifar).memory(images: 64, panelWidth: 64)
    #expect(memory.weights + memory.pass < 3_000_000_000)
    #expect(memory.pass * 3 < memory.unshared)
    // Twice as many images take twice the memory.
    #expect(UNetGraph(.cifar).memory(images: 128, panelWidth: 64).pass == 2 * memory.pass)
  }

  /// Every value is written before it is read.
  @Test func stepsFollowTheirInputs() {
    for configuration in [UNetConfiguration.cifar, .celebA] {
      let graph = UNetGraph(configuration)
      var written: Set<Int> = []
      for step in graph.steps {
        #expect(step.reads(times: graph.times).allSatisfy { written.contains($0) }, "\(step)")
        if let place = step.writes { written.insert(place) }
      }
      #expect(written == Set(graph.values.indices))
    }
  }
}
