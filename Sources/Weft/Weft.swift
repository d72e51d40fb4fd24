// One import for users: the engine's public types, and what is built on them.
@_exported public import Diffusion
@_exported public import Engine
@_exported public import Geometry
@_exported public import TokenPairs
@_exported public import struct ModelFiles.ModelFileError
