public import ArgumentParser
public import Diffusion

// Options that are values of the library, by the library's own names.
extension SamplingMethod.Variance: ExpressibleByArgument {}
extension Prediction: ExpressibleByArgument {}
