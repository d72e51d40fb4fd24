import Testing

@testable import TokenPairs

@Suite struct EventLabelTests {
  @Test func theTypeIsEverythingBeforeTheLastSlash() throws {
    let plain = try EventLabel("人生-死亡/死者")
    #expect(plain.type == "人生-死亡")
    #expect(plain.role == "死者")
    let slashed = try EventLabel("组织关系-辞/离职/trigger")
    #expect(slashed.type == "组织关系-辞/离职")
    #expect(slashed.role == EventLabel.triggerRole)
  }

  @Test(arguments: ["", "/", "trigger", "/trigger", "人生-死亡/", "a/b/"])
  func aLabelWithoutTypeOrRoleIsRefused(label: String) {
    let error = #expect(throws: EventLabelError.self) { try EventLabel(label) }
    #expect(error?.description.contains("\"\(label)\" is not of the form TYPE/ROLE") == true)
    #expect(throws: EventLabelError(label: label)) { try EventSchema(labels: ["a/b", label]) }
  }

  @Test func aSchemaNumbersTypesAndRolesInOrder() throws {
    let schema = try EventSchema(labels: ["a/时间", "b/c/trigger", "a/trigger", "b/c/时间", "d/x"])
    #expect(schema.types == ["a", "b/c", "d"])
    #expect(schema.roles == ["时间", "trigger", "x"])
    #expect(schema.labels.map(\.type) == [0, 1, 0, 1, 2])
    #expect(schema.labels.map(\.role) == [0, 1, 1, 0, 2])
    #expect(schema.triggerRole == 1)
    #expect((0..<3).map(schema.hasTrigger) == [true, true, false])
    #expect(
      schema.node(label: 3, span: 2..<4, score: 7) == EventNode(type: 1, role: 0, span: 2..<4, score: 7))
    #expect(try EventSchema(labels: ["d/x"]).triggerRole == nil)
  }
}
