"""Times the scoring and decoding of (Efficient) GlobalPointer heads in PyTorch eager mode.

Timed: queries and keys (and the efficient head's bias) in memory, to the list of cells above
the threshold with their scores: RoPE, the products, the scale, the padding mask and the
lower-triangle mask, the comparison, `nonzero`, the gather. Not timed: the dense layers before
it, the sine and cosine tables, the choice of the threshold.

Two forms do the same work. `bert4torch` follows, operation for operation, the head that
bert4torch ships and most projects copy. `lean` is the same head by someone who counts passes
over the B x H x n x n scores: the scale goes into the queries, the two masks into one boolean
that is applied in place. A claim of speed should hold against both.

The threshold is the 1 - 1e-4 quantile of the scores before masking, so one cell in 10,000
passes, half of them above the diagonal: a trained model's sparsity. All rows are full length.

On a GPU the list of cells is brought to the host, as Weft's is.
"""

import math

import torch

from measure import common_arguments, device_arguments, device_report, element_type, measure, multiplying, report


def rotate(x, cosine, sine):
    """Interleaved RoPE of x [..., n, (heads,) d]."""
    turned = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).reshape_as(x)
    return x * cosine + turned * sine


def rotation_tables(length, head_size):
    frequency = 10000 ** (-torch.arange(0, head_size, 2).double() / head_size)
    angle = torch.arange(length).double()[:, None] * frequency
    angle = angle.repeat_interleave(2, dim=-1)
    return angle.cos().float(), angle.sin().float()


def raw_scores(inputs, head, scale_queries=False):
    """Scores [B, H, n, n] without masks; unscaled for GlobalPointer unless `scale_queries`.

    Without tables of sines and cosines (None) the head has no RoPE.
    """
    queries, keys, bias, cosine, sine = inputs
    scale = queries.shape[-1] ** -0.5
    if head == "globalpointer":
        if cosine is not None:
            queries = rotate(queries, cosine[:, None], sine[:, None])
            keys = rotate(keys, cosine[:, None], sine[:, None])
        queries = queries * scale if scale_queries else queries
        return torch.einsum("bmhd,bnhd->bhmn", queries, keys)
    if cosine is not None:
        queries, keys = rotate(queries, cosine, sine), rotate(keys, cosine, sine)
    if scale_queries:
        scores = torch.einsum("bmd,bnd->bmn", queries * scale, keys)
    else:
        scores = torch.einsum("bmd,bnd->bmn", queries, keys) * scale
    start, end = bias[:, ::2, :, None] / 2, bias[:, 1::2, None, :] / 2
    if scale_queries:
        return (scores[:, None] + start).add_(end)
    return scores[:, None] + start + end


def bert4torch_form(inputs, mask, head, triangular=True):
    scores = raw_scores(inputs, head)
    scores = scores.masked_fill((1 - mask[:, None, :, None]).bool(), -float("inf"))
    scores = scores.masked_fill((1 - mask[:, None, None, :]).bool(), -float("inf"))
    if triangular:
        scores = scores - torch.tril(torch.ones_like(scores), -1) * 1e12
    return scores / inputs[0].shape[-1] ** 0.5 if head == "globalpointer" else scores


def lean_form(inputs, mask, head):
    keep = mask.bool()
    keep = (keep[:, :, None] & keep[:, None, :]).triu_()
    return raw_scores(inputs, head, scale_queries=True).masked_fill_(~keep[:, None], -math.inf)


def decode(scores, threshold):
    cells = (scores > threshold).nonzero()
    return cells.cpu(), scores[cells[:, 0], cells[:, 1], cells[:, 2], cells[:, 3]].cpu()


def make_inputs(arguments):
    generator = torch.Generator().manual_seed(arguments.seed)
    batch, heads, length = arguments.batch, arguments.heads, arguments.length
    one = (batch, length, arguments.head_size)
    each = (batch, length, heads, arguments.head_size)
    shape = each if arguments.head == "globalpointer" else one
    queries, keys = (torch.randn(shape, generator=generator) for _ in range(2))
    bias = torch.randn(batch, 2 * heads, length, generator=generator)
    return queries, keys, bias, *rotation_tables(length, arguments.head_size)


def choose_threshold(inputs, head):
    scores = raw_scores(inputs, head, scale_queries=True).flatten().float()
    return scores.kthvalue(scores.numel() - scores.numel() // 10_000).values.item()


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=5)
    parser.add_argument("--head", choices=["globalpointer", "efficient"], default="globalpointer")
    parser.add_argument("--form", choices=["bert4torch", "lean"], default="bert4torch")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--heads", type=int, default=10)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--head-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    device_arguments(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for precision in arguments.precision:
        measure_at(precision, arguments)


def measure_at(precision, arguments):
    device = arguments.device
    with multiplying(device, precision):
        inputs = tuple(values.to(device, element_type(precision)) for values in make_inputs(arguments))
        mask = torch.ones(arguments.batch, arguments.length, device=device)
        threshold = choose_threshold(inputs, arguments.head)
        form = bert4torch_form if arguments.form == "bert4torch" else lean_form
        (cells, _), timing = measure(
            lambda: decode(form(inputs, mask, arguments.head), threshold),
            arguments.warmup, arguments.repetitions, device)

    shape = {name: getattr(arguments, name)
             for name in ("head", "form", "batch", "heads", "length", "head_size")}
    products = arguments.heads if arguments.head == "globalpointer" else 1
    operations = 2 * arguments.batch * products * arguments.length**2 * arguments.head_size
    report(shape | timing | {
        "gflops": operations / timing["median_seconds"] / 1e9,
        "cells": len(cells),
        "threshold": threshold,
    } | device_report(device, precision), arguments.json)


if __name__ == "__main__":
    main()
