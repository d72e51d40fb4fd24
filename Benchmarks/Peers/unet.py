"""Times the forward pass of a diffusion U-Net: PyTorch, through Hugging Face diffusers.

Timed: noisy images in memory, to the network's answer; float32, inference mode, the library's
default attention. The weights are random: the time does not depend on their values. `--layout
channels-last` hands PyTorch its weights and images in the order its convolutions prefer. `--runtime`
runs the network through torch.compile, ONNX Runtime or OpenVINO: see runtimes.py.
"""

import torch
from diffusers import UNet2DModel

from measure import common_arguments, device_arguments, device_report, element_type, measure, multiplying, report
from runtimes import make_runtime, runtime_argument

# As published by google/ddpm-cifar10-32 and google/ddpm-celebahq-256.
SHAPES = {
    "cifar10-32": dict(
        sample_size=32, block_out_channels=(128, 256, 256, 256), layers_per_block=2,
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D")),
    "celebahq-256": dict(
        sample_size=256, block_out_channels=(128, 128, 256, 256, 512, 512), layers_per_block=2,
        down_block_types=("DownBlock2D",) * 4 + ("AttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "AttnUpBlock2D") + ("UpBlock2D",) * 4),
}
COMMON = dict(
    in_channels=3, out_channels=3, attention_head_dim=None, downsample_padding=0,
    flip_sin_to_cos=False, freq_shift=1, norm_eps=1e-6, norm_num_groups=32)


class UNet(torch.nn.Module):
    """diffusers' U-Net as a module whose answer is one tensor."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images, time):
        return self.model(images, time, return_dict=False)[0]


def operations(model, images, time):
    """Multiplications and additions of all convolutions, dense layers and attention products."""
    from torch.utils.flop_counter import FlopCounterMode
    counter = FlopCounterMode(display=False)
    with counter:
        model(images, time)
    return counter.get_total_flops()


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=5)
    parser.add_argument("--shape", choices=SHAPES, default="cifar10-32")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--layout", choices=("contiguous", "channels-last"), default="contiguous")
    parser.add_argument("--seed", type=int, default=1)
    device_arguments(parser)
    runtime_argument(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    model = UNet(UNet2DModel(**SHAPES[arguments.shape], **COMMON)).eval()
    size = SHAPES[arguments.shape]["sample_size"]
    images = torch.randn(arguments.batch, 3, size, size)
    if arguments.layout == "channels-last":
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    time = torch.tensor(500)
    run, description = make_runtime(parser, arguments, model, (images, time))
    for precision in arguments.precision:
        measure_at(precision, model, run, description, images, time, arguments)


def measure_at(precision, model, run, description, images, time, arguments):
    device = arguments.device
    with multiplying(device, precision):
        model = model.to(device, element_type(precision))
        images = images.to(device, element_type(precision))
        time = time.to(device)
        flops = operations(model, images[:1], time) * arguments.batch
        _, timing = measure(
            lambda: run(images, time), arguments.warmup, arguments.repetitions, device)

    report({
        "shape": arguments.shape,
        "parameters": sum(p.numel() for p in model.parameters()),
        "batch": arguments.batch,
        "layout": arguments.layout,
    } | timing | description | {
        "images_per_second": arguments.batch / timing["median_seconds"],
        "gflops": flops / timing["median_seconds"] / 1e9,
    } | device_report(device, precision), arguments.json)


if __name__ == "__main__":
    main()
