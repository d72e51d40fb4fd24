internal import COpenCL

/// One installed OpenCL driver.
package struct Platform: Sendable, Hashable {
  let identity: DriverPointer

  /// Such as `Portable Computing Language`.
  package let name: String
  /// Who wrote the driver.
  package let vendor: String
  /// The platform's version text, such as `OpenCL 3.0 PoCL 3.1+debian`.
  package let version: String

  /// The installed drivers; empty where there is none.
  package static func all() throws(OpenCLError) -> [Platform] {
    do throws(OpenCLError) {
      var count: UInt32 = 0
      try check("clGetPlatformIDs") { clGetPlatformIDs(0, nil, &count) }
      guard count > 0 else { return [] }
      var pointers = [OpaquePointer?](repeating: nil, count: Int(count))
      try check("clGetPlatformIDs") { clGetPlatformIDs(count, &pointers, nil) }
      var platforms: [Platform] = []
      for case let pointer? in pointers { platforms.append(try Platform(pointer)) }
      return platforms
    } catch {
      // How a loader says "no driver installed".
      guard error.status == .platformNotFound else { throw error }
      return []
    }
  }

  /// The platform's devices of every kind; empty where the driver finds no hardware.
  package func devices() throws(OpenCLError) -> [Device] {
    let platform = identity.pointer
    do throws(OpenCLError) {
      var count: UInt32 = 0
      try check("clGetDeviceIDs", name) {
        clGetDeviceIDs(platform, cl_device_type(CL_DEVICE_TYPE_ALL), 0, nil, &count)
      }
      guard count > 0 else { return [] }
      var pointers = [OpaquePointer?](repeating: nil, count: Int(count))
      try check("clGetDeviceIDs", name) {
        clGetDeviceIDs(platform, cl_device_type(CL_DEVICE_TYPE_ALL), count, &pointers, nil)
      }
      var devices: [Device] = []
      for case let pointer? in pointers { devices.append(try Device(pointer, of: self)) }
      return devices
    } catch {
      // How rusticl and others say "no hardware".
      guard error.status == .deviceNotFound else { throw error }
      return []
    }
  }

  private init(_ pointer: OpaquePointer) throws(OpenCLError) {
    func text(_ parameter: Int32) throws(OpenCLError) -> String {
      try readString("clGetPlatformInfo") {
        clGetPlatformInfo(pointer, cl_platform_info(parameter), $0, $1, $2)
      }
    }
    identity = DriverPointer(pointer: pointer)
    name = try text(CL_PLATFORM_NAME)
    vendor = try text(CL_PLATFORM_VENDOR)
    version = try text(CL_PLATFORM_VERSION)
  }

  package static func == (left: Platform, right: Platform) -> Bool {
    left.identity == right.identity
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(identity) }
}

/// A platform's or root device's address.
// Sendable: the driver owns these objects and keeps them, unchanged, as long as the process lives.
struct DriverPointer: @unchecked Sendable, Hashable {
  let pointer: OpaquePointer
}
