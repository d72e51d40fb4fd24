"""Times the scoring and decoding of (Efficient) GlobalPointer heads in PyTorch eager mode.

Timed: queries and keys (and the efficient head's bias) in memory, to the list of cells above
the threshold with their scores: RoPE, the products, the scale, the padding mask and the
lower-triangle mask, the comparison, `nonzero`, the gather. Not timed: the dense layers before
it, the sine and cosine tables, the choice of the threshold.

The forms do the same work. `bert4torch` follows, operation for operation, the head that
bert4torch ships and most projects copy. `lean` is the same head by someone who counts passes
over the B x H x n x n scores: the scale goes into the queries, the two masks into one boolean
that is applied in place. `blocked` never has these scores: it goes through blocks of 128 x 128 on
and above the diagonal, and masks the few cells that it finds. `screened`, for the efficient head,
goes on with those cells of a block that pass with the largest biases of any type. A claim of speed
should hold against the fastest. `--check` compares a form's cells with those of `lean`.

The inputs are those of `weft bench pairs`, number for number, and so is the threshold: both find
as many cells but for scores within rounding of it, about one cell in 10,000, as few as a trained
model's. All rows are full length.

On a GPU the list of cells is brought to the host, as Weft's is.
"""

import functools
import itertools
import math

import torch

from inputs import Head, score_deviation
from measure import common_arguments, device_arguments, device_report, element_type, measure, multiplying, report

ROWS, SEQUENCES = 128, 4  # of a block: its scores stay in a processor's cache


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


def inner_tokens(mask):
    """The mask without the first and the last token of each row, [CLS] and [SEP], which no span contains."""
    inner = mask.clone()
    inner[:, [0, -1]] = 0
    return inner


def above(scores, threshold):
    """Cells [P, 4] above the threshold and their scores."""
    cells = (scores > threshold).nonzero()
    return cells, scores[tuple(cells.T)]


def screened(products, starts, ends, threshold):
    """`above` of products [B, 1, m, n] and biases. Rounded sums keep their order, so the screen loses no cell."""
    highest = (products + starts.amax(1, keepdim=True)).add_(ends.amax(1, keepdim=True))
    sequence, _, row, column = (highest > threshold).nonzero(as_tuple=True)
    scores = products[sequence, 0, row, column][:, None] + starts[sequence, :, row, 0] + ends[sequence, :, 0, column]
    passed, kind = (scores > threshold).nonzero(as_tuple=True)
    return torch.stack([sequence[passed], kind, row[passed], column[passed]], 1), scores[passed, kind]


def blocked_cells(inputs, mask, head, threshold, screen=False):
    """Cells [P, 4] above the threshold and their scores, block by block."""
    queries, keys, bias, cosine, sine = inputs
    efficient, scale = head == "efficient", queries.shape[-1] ** -0.5
    if efficient:
        queries, keys = queries[:, :, None], keys[:, :, None]
        starts, ends = bias[:, ::2, :, None] / 2, bias[:, 1::2, None, :] / 2
    queries = (rotate(queries, cosine[:, None], sine[:, None]) * scale).transpose(1, 2).contiguous()
    keys = rotate(keys, cosine[:, None], sine[:, None]).permute(0, 2, 3, 1).contiguous()
    batch, length, found = *mask.shape, []
    for first, row in itertools.product(range(0, batch, SEQUENCES), range(0, length, ROWS)):
        sequences, rows = slice(first, first + SEQUENCES), slice(row, row + ROWS)
        for column in range(row, length, ROWS):
            columns = slice(column, column + ROWS)
            scores = queries[sequences, :, rows] @ keys[sequences, :, :, columns]
            biases = (starts[sequences, :, rows], ends[sequences, :, :, columns]) if efficient else ()
            if efficient and not screen:
                scores = (scores + biases[0]).add_(biases[1])
            cells, scores = screened(scores, *biases, threshold) if screen else above(scores, threshold)
            found.append((cells + cells.new_tensor([first, 0, row, column]), scores))
    cells, scores = map(torch.cat, zip(*found))
    sequence, _, start, end = cells.T
    valid = (start <= end) & mask.bool()[sequence, start] & mask.bool()[sequence, end]
    return cells[valid].cpu(), scores[valid].cpu()


def dense_cells(form):
    def decode(inputs, mask, head, threshold):
        return tuple(each.cpu() for each in above(form(inputs, mask, head), threshold))
    return decode


FORMS = {
    "bert4torch": dense_cells(bert4torch_form),
    "lean": dense_cells(lean_form),
    "blocked": blocked_cells,
    "screened": functools.partial(blocked_cells, screen=True),
}


def check(cells, inputs, mask, head, threshold):
    """Compares cells with those of the lean form: those in one list alone must be within rounding of the threshold."""
    scores = lean_form(inputs, mask, head)
    differing = set(map(tuple, cells.tolist())) ^ set(map(tuple, above(scores, threshold)[0].tolist()))
    faults = [cell for cell in differing if not abs(scores[cell].item() - threshold) < 1e-5]
    if faults or len(cells.unique(dim=0)) != len(cells):
        raise SystemExit(f"not the cells of the lean form: {len(faults)} differ, {sorted(faults)[:5]}")
    return {"cells_within_rounding": len(differing)}


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=5)
    parser.add_argument("--head", choices=["globalpointer", "efficient"], default="globalpointer")
    parser.add_argument("--form", choices=FORMS, default="bert4torch")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--heads", type=int, default=10)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--head-size", type=int, default=64)
    parser.add_argument("--check", action="store_true", help="compare the cells with those of the lean form")
    device_arguments(parser)
    arguments = parser.parse_args()
    if arguments.form == "screened" and arguments.head != "efficient":
        parser.error("--form screened goes with --head efficient")
    if arguments.check and arguments.precision != ["float32"]:
        parser.error("--check goes with --precision float32")
    torch.set_num_threads(arguments.threads)
    for precision in arguments.precision:
        measure_at(precision, arguments)


def measure_at(precision, arguments):
    device = arguments.device
    with multiplying(device, precision):
        tables = rotation_tables(arguments.length, arguments.head_size)
        inputs = Head(arguments, arguments.heads, 1).inputs(arguments.batch, tables)
        inputs = [None if values is None else values.to(device, element_type(precision)) for values in inputs]
        mask = inner_tokens(torch.ones(arguments.batch, arguments.length, device=device))
        threshold = 3.719 * score_deviation(arguments.head)  # one normal number in 10,000 is above 3.719
        (cells, _), timing = measure(
            lambda: FORMS[arguments.form](inputs, mask, arguments.head, threshold),
            arguments.warmup, arguments.repetitions, device)
        checked = check(cells, inputs, mask, arguments.head, threshold) if arguments.check else {}

    shape = {name: getattr(arguments, name)
             for name in ("head", "form", "batch", "heads", "length", "head_size")}
    products = arguments.heads if arguments.head == "globalpointer" else 1
    operations = 2 * arguments.batch * products * arguments.length**2 * arguments.head_size
    report(shape | timing | {
        "gflops": operations / timing["median_seconds"] / 1e9,
        "cells": len(cells),
        "threshold": threshold,
    } | checked | device_report(device, precision), arguments.json)


if __name__ == "__main__":
    main()
