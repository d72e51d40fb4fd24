import Diffusion
import Engine
import Testing

/// How a mixture is cut into chunks.
@Suite struct MixtureChunksTests {
  @Test(arguments: [
    [1], [48], [49], [768], [769], [10_000], [100_000], [5, 900, 1, 2000], [Int](repeating: 3, count: 50),
  ])
  func chunksCoverTheGroupsInOrder(_ groupSizes: [Int]) {
    let plan = MixtureChunks(groupSizes: groupSizes, panelWidth: 48, target: 32)
    #expect(plan.groups == plan.groups.sorted())
    for (group, size) in groupSizes.enumerated() {
      let lengths = zip(plan.segments.lengths, plan.groups).filter { $0.1 == group }.map(\.0)
      #expect(lengths.reduce(0, +) == size)
      // All but the last end with a panel, so that packing chunks is packing groups.
      #expect(lengths.dropLast().allSatisfy { $0.isMultiple(of: 48) })
      #expect((lengths.max() ?? 0) - (lengths.dropLast().min() ?? size) <= 48)
    }
    #expect(plan.segments.count <= 32 + groupSizes.count)
  }

  @Test func smallChunksAreNotMade() {
    #expect(MixtureChunks(groupSizes: [768], panelWidth: 48, target: 32).segments.lengths == [768])
    #expect(MixtureChunks(groupSizes: [1535], panelWidth: 48, target: 32).segments.count == 2)
    #expect(MixtureChunks(groupSizes: [1536], panelWidth: 48, target: 32).segments.lengths == [768, 768])
  }

  @Test func largeDataHaveTheTargetedNumber() {
    #expect(MixtureChunks(groupSizes: [1_000_000], panelWidth: 64, target: 32).segments.count == 32)
    #expect(MixtureChunks(groupSizes: [10_000], panelWidth: 48, target: 32).segments.count == 8)
  }

  @Test func termsAreSquareAndLogWeight() {
    #expect(
      Mixture.terms(means: [3, 4, 1, -2], channels: 2, logWeights: [-1, -.infinity]) == [25, -1, 5, -.infinity])
  }
}
