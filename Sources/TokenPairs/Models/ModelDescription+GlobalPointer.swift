internal import ModelFiles

extension ModelDescription {
  /// Reads `globalpointer.json`: one head, whose tensors are named by their role.
  init(pointer fields: JSONFields) throws(ModelFileError) {
    let task = try fields.string("task") ?? ModelTask.entities.rawValue
    guard task == ModelTask.entities.rawValue else {
      throw fields.error("task", "\"\(task)\" is not a task of this file; \"entities\" is")
    }
    let labels = try fields.names("labels", of: "label")
    let form = try HeadForm(of: fields)
    let rope = try form.fields.bool("rope") ?? true
    try form.check(rope: rope)
    let triangular = try form.fields.bool("triangular") ?? true
    let tensors = try form.fields.object("tensors")
    let projectionName: String
    let biasName: String?
    switch form.kind {
    case .globalPointer:
      projectionName = try tensors?.string("dense") ?? "dense"
      biasName = nil
    case .efficient:
      projectionName = try tensors?.string("p_dense") ?? "p_dense"
      biasName = try tensors?.string("q_dense") ?? "q_dense"
    }
    self.init(
      task: .entities, labels: labels,
      spanHead: HeadLayout(
        kind: form.kind, dialect: form.dialect, headSize: form.headSize, types: labels.count, rope: rope,
        triangular: triangular, projectionName: projectionName, biasName: biasName, typesFile: fields.file,
        typesField: "labels"),
      encoderPrefix: try fields.string("encoder_prefix") ?? "", file: fields.file)
  }
}
