"""Times a convolution of images in PyTorch: what `weft bench convolution` does, in the library's own layout.

Timed: `conv2d` with bias, the time embedding's shift and the residual added; with --upsamples after
`interpolate` by nearest neighbours, as diffusers does it. Two tensors (--second) are concatenated first.
"""

import torch
from torch.nn import Conv2d
from torch.nn.functional import interpolate

from measure import common_arguments, measure, report


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=9)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--inputs", type=int, default=128)
    parser.add_argument("--second", type=int, default=0)
    parser.add_argument("--outputs", type=int, default=128)
    parser.add_argument("--window", type=int, choices=[1, 3], default=3)
    parser.add_argument("--stride", type=int, choices=[1, 2], default=1)
    parser.add_argument("--upsamples", action="store_true")
    parser.add_argument("--channels-last", action="store_true", help="pixels as rows, as Weft has them")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)

    order = torch.channels_last if arguments.channels_last else torch.contiguous_format
    channels = arguments.inputs + arguments.second
    layer = Conv2d(channels, arguments.outputs, arguments.window, stride=arguments.stride,
                   padding=arguments.window // 2).to(memory_format=order)
    shape = (arguments.size, arguments.size)
    first = torch.randn(arguments.batch, arguments.inputs, *shape).to(memory_format=order)
    second = torch.randn(arguments.batch, arguments.second, *shape).to(memory_format=order)
    shift = torch.randn(arguments.batch, arguments.outputs)

    def convolve(residual):
        x = torch.cat([first, second], dim=1) if arguments.second else first
        if arguments.upsamples:
            x = interpolate(x, scale_factor=2.0, mode="nearest")
        y = layer(x) + shift[:, :, None, None]
        return y if residual is None else y + residual

    with torch.inference_mode():
        residual = torch.randn_like(convolve(None))
        result, timing = measure(lambda: convolve(residual), arguments.warmup, arguments.repetitions)

    operations = 2 * result.numel() * channels * arguments.window ** 2
    report({
        "batch": arguments.batch, "size": arguments.size, "inputs": channels,
        "outputs": arguments.outputs, "window": arguments.window,
    } | timing | {"gflops": operations / timing["median_seconds"] / 1e9}, arguments.json)


if __name__ == "__main__":
    main()
