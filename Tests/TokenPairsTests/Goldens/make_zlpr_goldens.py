"""Writes losses over labels and over token pairs, and their gradients, as PyTorch's autograd finds them.

Run:      python3 -m venv .venv && .venv/bin/pip install torch==2.13.0 numpy==2.4.6 safetensors==0.8.0
          .venv/bin/python Tests/TokenPairsTests/Goldens/make_zlpr_goldens.py
Versions: torch 2.13.0 (CPU), Python 3.11. No network.

ZLPR of labels t (Su et al., "ZLPR", 2022):  log(1 + sum t e^-s) + log(1 + sum (1 - t) e^s)
Binary cross-entropy:                        sum log(1 + e^s) - t s

All is computed in float64 from inputs that are float32 numbers, and checked before it is written: against the closed
forms in decimal arithmetic with 60 digits (dense), and against central differences of a plain NumPy form that shares
no line with what PyTorch differentiates (pairs).

zlpr-dense.safetensors: rows of labels, B = 13 rows of C = 37 cells. The metadata's `rows` is a JSON list of their
names. Scores of ±1e4 are among them; in `optimum` every t is sigmoid(2 s), rounded to float32, and ZLPR's gradient is
therefore all but zero.
    logits     F32 [B, C]  the scores s
    labels     F32 [B, C]  t, from 0 to 1
    counted    U8  [B, C]  1 where the cell counts; the others take no part, whatever their logit and label
    {zlpr,bce}.loss      F64 [B]     of each row
    {zlpr,bce}.gradient  F64 [B, C]  of the row's loss by its logits; exactly 0 where the cell does not count

zlpr-pairs.safetensors: four sequences of 5, 1, 9 and 33 tokens (metadata `lengths`), end to end in T = 48 rows, with
positions from 0 in each; H = 3 types, head size d = 8.
    globalpointer.{queries,keys}  F32 [T, H, d]  before rotation
    efficient.{queries,keys}      F32 [T, d]     before rotation
    efficient.{starts,ends}       F32 [T, H]     the biases S and E
The score of (m, k) is <R_m q_m, R_k k_k> / sqrt(d), and for the efficient head + (S_m + E_k) / 2.
The metadata's `cases` is a JSON list of what is computed from them:
    name        the prefix of its tensors
    head        globalpointer or efficient
    loss        zlpr or bce
    rope        whether R turns channels (2i, 2i + 1) by position * 10000^(-2i/d); if not, R is 1
    triangular  whether only cells with m <= k count
    margin      0 or 1: cells count whose m and k are both at least so far from either end of the sequence
Each has
    NAME.cells       I32 [P, 4]  sequence, type, m, k of the cells that have a label of their own, sorted; all count
    NAME.values      F32 [P]     their t
    NAME.background  F32 [H]     the t of all other cells of a type
    NAME.loss        F64 [4, H]  of each sequence and type: the sum over its cells that count
    NAME.{queries,keys,starts,ends}  F32, as the inputs: the gradient of the loss, which is the sum over types and the
                                 mean over the four sequences; float64 rounded once
"""

import json
import math
import pathlib
from decimal import Decimal, getcontext

import numpy
import torch
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).resolve().parent
LENGTHS = [5, 1, 9, 33]
TYPES, HEAD_SIZE, WIDTH = 3, 8, 37
ROWS = numpy.concatenate([[0], numpy.cumsum(LENGTHS)])


# What PyTorch differentiates.

def zlpr(scores, labels, counted):
    """Loss over the last axis, through log-sum-exp; a factor of 0 kills its term exactly."""
    zero = torch.zeros_like(scores[..., :1])

    def term(signed, factor):
        keep = counted & (factor > 0)
        weighted = signed + torch.where(keep, factor, 1).log()
        return torch.logsumexp(torch.cat([zero, weighted.masked_fill(~keep, -torch.inf)], dim=-1), dim=-1)

    return term(-scores, labels) + term(scores, 1 - labels)


def cross_entropy(scores, labels, counted):
    cells = torch.logaddexp(scores, torch.zeros_like(scores)) - labels * scores
    return torch.where(counted, cells, 0).sum(-1)


LOSSES = {"zlpr": zlpr, "bce": cross_entropy}


def rotate(x):
    """x [n, ..., d] turned by its position in its sequence."""
    angle = torch.arange(len(x))[:, None] * 10000.0 ** (-torch.arange(0, HEAD_SIZE, 2) / HEAD_SIZE)
    angle = angle.reshape(len(x), *[1] * (x.dim() - 2), -1)
    even, odd = x[..., ::2], x[..., 1::2]
    turned = even * angle.cos() - odd * angle.sin(), even * angle.sin() + odd * angle.cos()
    return torch.stack(turned, dim=-1).flatten(-2)


def scores_of(case, inputs, sequence):
    """Scores [H, n, n] of a sequence."""
    first, end = ROWS[sequence : sequence + 2]
    queries, keys = (inputs[name][first:end] for name in ("queries", "keys"))
    if case["rope"]:
        queries, keys = rotate(queries), rotate(keys)
    if case["head"] == "globalpointer":
        return torch.einsum("mhd,khd->hmk", queries, keys) / HEAD_SIZE**0.5
    starts, ends = (inputs[name][first:end].T for name in ("starts", "ends"))
    return queries @ keys.T / HEAD_SIZE**0.5 + (starts[:, :, None] + ends[:, None, :]) / 2


def pair_losses(case, inputs, labels, counted):
    """Losses [sequences, H]."""
    return torch.stack([
        LOSSES[case["loss"]](
            scores_of(case, inputs, sequence).flatten(1), torch.from_numpy(labels[sequence]).flatten(1),
            torch.from_numpy(counted[sequence]).flatten().expand(TYPES, -1))
        for sequence in range(len(LENGTHS))])


# What it is checked against.

def closed_forms(logits, labels, counted):
    """Both losses of one row and their gradients, by the book, in decimal arithmetic."""
    getcontext().prec = 60
    cells = [(Decimal(float(s)), Decimal(float(t))) for s, t, keep in zip(logits, labels, counted) if keep]
    positive = 1 + sum((t * (-s).exp() for s, t in cells), Decimal(0))
    negative = 1 + sum(((1 - t) * s.exp() for s, t in cells), Decimal(0))
    gradient = {
        "zlpr": [-t * (-s).exp() / positive + (1 - t) * s.exp() / negative for s, t in cells],
        "bce": [1 / (1 + (-s).exp()) - t for s, t in cells],
    }
    loss = {
        "zlpr": positive.ln() + negative.ln(),
        "bce": sum(((1 + s.exp()).ln() - t * s for s, t in cells), Decimal(0)),
    }
    return loss, gradient


def plain_loss(case, inputs, labels, counted):
    """The loss over pairs in NumPy: rotation as a product of complex numbers, sums of exponentials as they stand."""
    total = 0.0
    for sequence, length in enumerate(LENGTHS):
        rows = slice(ROWS[sequence], ROWS[sequence + 1])
        turns = numpy.arange(length)[:, None] * 10000.0 ** (-2 * numpy.arange(HEAD_SIZE // 2) / HEAD_SIZE)
        turns = numpy.exp(1j * turns) if case["rope"] else numpy.ones_like(turns)
        for kind in range(TYPES):
            vectors = [inputs[name][rows] for name in ("queries", "keys")]
            if case["head"] == "globalpointer":
                vectors = [each[:, kind] for each in vectors]
            query, key = ((each[:, ::2] + 1j * each[:, 1::2]) * turns for each in vectors)
            s = (query @ key.conj().T).real / math.sqrt(HEAD_SIZE)
            if case["head"] == "efficient":
                s = s + 0.5 * inputs["starts"][rows, kind][:, None] + 0.5 * inputs["ends"][rows, kind][None, :]
            s, t = s[counted[sequence]], labels[sequence][kind][counted[sequence]]
            if case["loss"] == "zlpr":
                total += math.log(1 + (t * numpy.exp(-s)).sum()) + math.log(1 + ((1 - t) * numpy.exp(s)).sum())
            else:
                total -= (t * numpy.log(1 / (1 + numpy.exp(-s))) + (1 - t) * numpy.log(1 / (1 + numpy.exp(s)))).sum()
    return total / len(LENGTHS)


def check_differences(case, inputs, labels, counted, gradients, generator, step=1e-4, places=60):
    """Holds some elements of each gradient to central differences of the plain loss."""
    for name, gradient in gradients.items():
        flat = inputs[name].reshape(-1)  # a view: an element is moved and put back
        for place in generator.choice(flat.size, min(places, flat.size), replace=False):
            kept, losses = flat[place], []
            for sign in (1, -1):
                flat[place] = kept + sign * step
                losses.append(plain_loss(case, inputs, labels, counted))
            flat[place] = kept
            difference = (losses[0] - losses[1]) / (2 * step)
            found = gradient.reshape(-1)[place]
            # A cubic term is left of the loss; cross-entropy's is larger, being a sum over all cells.
            assert abs(difference - found) < 1e-7 * max(1, abs(found)), (case["name"], name, place, difference, found)


# What is written.

def float32(array):
    return numpy.asarray(array, numpy.float32)


def dense_rows(generator):
    """Names, logits, labels and cells that count, a row each."""
    def normal(scale=3.0):
        return float32(scale * generator.standard_normal(WIDTH))

    def chosen(share=0.15):
        return float32(generator.random(WIDTH) < share)

    everywhere, nowhere = numpy.ones(WIDTH), numpy.zeros(WIDTH)
    some = generator.random(WIDTH) < 0.6
    soft = float32(generator.random(WIDTH))
    mixed = numpy.where(generator.random(WIDTH) < 0.5, chosen(0.5), soft)
    signs = 1 - 2 * chosen(0.5)
    signs[:2] = 1, -1
    rare = float32(numpy.where(numpy.arange(WIDTH) % 9 == 4, 0.875, 1 / 1024))
    near = normal(1.0)
    yield "hard", normal(), chosen(), everywhere
    yield "hard, none", normal(), nowhere, everywhere
    yield "hard, all", normal(), everywhere, everywhere
    yield "soft", normal(), soft, everywhere
    yield "soft and hard", normal(), mixed, everywhere
    yield "smoothed", normal(), rare, everywhere
    yield "optimum", near, 1 / (1 + numpy.exp(-2.0 * near)), everywhere
    yield "masked", normal(), mixed, some
    yield "nothing counts", normal(), mixed, nowhere
    yield "large, right", 1e4 * signs, (signs > 0) * everywhere, everywhere
    yield "large, wrong", 1e4 * signs, (signs < 0) * everywhere, everywhere
    yield "large, soft", 1e4 * signs, soft, everywhere
    yield "large, masked", numpy.where(some, normal(), 1e4 * signs), chosen(), some


def dense_goldens(generator):
    names, logits, labels, counted = zip(*dense_rows(generator))
    logits, labels = float32(logits), float32(labels)
    counted = numpy.array(counted, numpy.uint8)
    tensors = {"logits": logits, "labels": labels, "counted": counted}
    for name, function in LOSSES.items():
        variable = torch.from_numpy(logits).double().requires_grad_()
        loss = function(variable, torch.from_numpy(labels).double(), torch.from_numpy(counted).bool())
        gradient, = torch.autograd.grad(loss.sum(), variable)
        tensors |= {f"{name}.loss": loss.detach().numpy(), f"{name}.gradient": gradient.numpy()}
    for row in range(len(names)):
        expected_losses, expected_gradients = closed_forms(logits[row], labels[row], counted[row])
        keep = counted[row] > 0
        for name in LOSSES:
            loss, gradient = tensors[f"{name}.loss"][row], tensors[f"{name}.gradient"][row]
            expected = float(expected_losses[name])
            assert abs(loss - expected) <= 1e-12 * max(1, abs(expected)), (names[row], name, loss, expected)
            assert (gradient[~keep] == 0).all(), (names[row], name)
            expected = numpy.array(expected_gradients[name], numpy.float64)
            # Near 1e4 a float64 is exact to 1e-12 only, and so is its exponential.
            assert numpy.abs(gradient[keep] - expected).max(initial=0) < 1e-11, (names[row], name)
    return tensors, {"rows": json.dumps(names)}


def pair_cases():
    for head in ("globalpointer", "efficient"):
        for loss, shape, margin, rope, kind in (
            ("zlpr", "triangular", 1, True, "hard"), ("zlpr", "triangular", 1, True, "soft"),
            ("zlpr", "triangular", 0, True, "smoothed"), ("zlpr", "triangular", 1, False, "smoothed"),
            ("zlpr", "square", 1, False, "hard"), ("zlpr", "square", 0, True, "soft"),
            ("bce", "triangular", 1, True, "hard"), ("bce", "square", 0, False, "smoothed"),
        ):
            name = f"{head}-{loss}-{shape}-{margin}-{kind}{'' if rope else '-unrotated'}"
            yield kind, {"name": name, "head": head, "loss": loss, "rope": rope,
                         "triangular": shape == "triangular", "margin": margin}


def cells_that_count(case):
    for length in LENGTHS:
        inner = numpy.zeros(length, bool)
        inner[case["margin"] : length - case["margin"]] = True
        cells = inner[:, None] & inner
        yield numpy.triu(cells) if case["triangular"] else cells


def pair_labels(kind, counted, generator):
    """Listed cells [P, 4], their labels, each type's background, and all of it as dense arrays [H, n, n]."""
    background = float32([0.015625, 0, 0.1] if kind == "smoothed" else [0, 0, 0])
    cells, values, dense = [], [], []
    for sequence, keep in enumerate(counted):
        labels = numpy.broadcast_to(background[:, None, None], (TYPES, *keep.shape)).astype(numpy.float64)
        places = numpy.argwhere(keep)
        for type_ in range(TYPES):
            # The third sequence has no label of its second type.
            count = 0 if (sequence, type_) == (2, 1) else min(len(places), 2 + sequence)
            listed = places[numpy.sort(generator.choice(len(places), count, replace=False))] if count else []
            for order, (row, column) in enumerate(listed):
                drawn = float32(1 if kind == "hard" else generator.random())
                # Among soft labels are some of exactly 1 and 0.
                value = float32(1 - order / 2) if kind == "soft" and order in (0, 2) else drawn
                labels[type_, row, column] = value
                cells.append((sequence, type_, row, column))
                values.append(value)
        dense.append(labels)
    return numpy.array(cells, numpy.int32), float32(values), background, dense


def pair_goldens(generator):
    shapes = {"globalpointer": {"queries": (TYPES, HEAD_SIZE), "keys": (TYPES, HEAD_SIZE)},
              "efficient": {"queries": (HEAD_SIZE,), "keys": (HEAD_SIZE,), "starts": (TYPES,), "ends": (TYPES,)}}
    inputs = {head: {name: float32(1.5 * generator.standard_normal((ROWS[-1], *shape)))
                     for name, shape in each.items()} for head, each in shapes.items()}
    tensors = {f"{head}.{name}": array for head, each in inputs.items() for name, array in each.items()}
    cases = []
    for kind, case in pair_cases():
        counted = list(cells_that_count(case))
        cells, values, background, labels = pair_labels(kind, counted, generator)
        arrays = {name: array.astype(numpy.float64) for name, array in inputs[case["head"]].items()}
        variables = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
        loss = pair_losses(case, variables, labels, counted)
        total = loss.sum() / len(LENGTHS)
        gradients = dict(zip(variables, torch.autograd.grad(total, list(variables.values()))))
        gradients = {name: gradient.numpy() for name, gradient in gradients.items()}
        plain = plain_loss(case, arrays, labels, counted)
        assert abs(total.item() - plain) < 1e-11 * plain, (case["name"], total.item(), plain)
        check_differences(case, arrays, labels, counted, gradients, generator)
        parts = {"cells": cells, "values": values, "background": background, "loss": loss.detach().numpy()}
        parts |= {name: float32(gradient) for name, gradient in gradients.items()}
        tensors |= {f"{case['name']}.{name}": array for name, array in parts.items()}
        cases.append(case)
    return tensors, {"lengths": json.dumps(LENGTHS), "cases": json.dumps(cases)}


def main():
    torch.set_default_dtype(torch.float64)
    for name, make, seed in (("zlpr-dense", dense_goldens, 51), ("zlpr-pairs", pair_goldens, 52)):
        tensors, metadata = make(numpy.random.default_rng(seed))
        path = HERE / f"{name}.safetensors"
        save_file({key: numpy.ascontiguousarray(value) for key, value in tensors.items()}, path, metadata)
        print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
