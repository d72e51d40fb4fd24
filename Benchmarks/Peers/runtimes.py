"""A PyTorch module through other runtimes, on the CPU in float32.

    pytorch      as it is, in eager mode
    compiled     torch.compile with frozen weights; needs a C++ compiler and Python's headers
    onnxruntime  exported by torch.onnx, with every optimization of ONNX Runtime
    openvino     converted by openvino.convert_model, for the least latency

Shapes are those of the example, fixed. Every runtime has as many threads as PyTorch has, bound to no core, and they
sleep where they wait for one another. Before anything is timed an answer is compared with PyTorch's; a runtime has
its work space from then on, so that no report says how much that is.
"""

import tempfile
from pathlib import Path

import torch

AGREEMENT = 1e-4  # the largest difference, relative to the largest number


class Compiled:
    def __init__(self, module, example):
        import torch._inductor.config
        torch._inductor.config.freezing = True
        self.module = torch.compile(module, dynamic=False)
        try:
            self(*example)
        except Exception as error:  # whatever the compiler's absence raises
            raise SystemExit(
                f"torch.compile does not work here (it needs a C++ compiler and Python's headers): {error}") from error

    def __call__(self, *tensors):
        return self.module(*tensors)


class ONNXRuntime:
    def __init__(self, module, example):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "module.onnx"
            torch.onnx.export(module, example, file, dynamo=True, verbose=False)
            self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.names = [each.name for each in self.session.get_inputs()]

    def __call__(self, *tensors):
        feeds = {name: tensor.numpy() for name, tensor in zip(self.names, tensors, strict=True)}
        return torch.from_numpy(self.session.run(None, feeds)[0])


class OpenVINO:
    def __init__(self, module, example):
        import openvino
        model = openvino.convert_model(module, example_input=example, input=[list(each.shape) for each in example])
        compiled = openvino.compile_model(model, "CPU", {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "ENABLE_HYPER_THREADING": True,  # threads count processors, as the others' do
            "ENABLE_CPU_PINNING": False,
        })
        self.request = compiled.create_infer_request()

    def __call__(self, *tensors):
        inputs = dict(enumerate(tensor.numpy() for tensor in tensors))
        return torch.from_numpy(self.request.infer(inputs, share_inputs=True, share_outputs=True)[0])


RUNTIMES = {"compiled": Compiled, "onnxruntime": ONNXRuntime, "openvino": OpenVINO}


def runtime_argument(parser):
    parser.add_argument("--runtime", choices=["pytorch", *RUNTIMES], default="pytorch", help="what runs the network")


def make_runtime(parser, arguments, module, example):
    """A function of tensors like the example's that answers as the module does; and what a report says of it."""
    if arguments.runtime == "pytorch":
        return module, {}
    if (arguments.device, arguments.precision) != ("cpu", ["float32"]):
        parser.error(f"--runtime {arguments.runtime} goes with --device cpu --precision float32")
    with torch.inference_mode():  # as it is measured: torch.compile compiles for it
        expected = module(*example)
        run = RUNTIMES[arguments.runtime](module, example)
        error = ((run(*example) - expected).abs().max() / expected.abs().max()).item()
    if not error < AGREEMENT:
        raise SystemExit(f"{arguments.runtime} differs from PyTorch by {error:.2g} of the largest number")
    return run, {"runtime": arguments.runtime, "difference": error, "peak_bytes": None}
