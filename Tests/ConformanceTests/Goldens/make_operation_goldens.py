"""Computes every operation's result with PyTorch in float64 and writes it to operations.json.

Run:      python -m venv .venv && .venv/bin/pip install torch==2.13.0
          .venv/bin/python Tests/ConformanceTests/Goldens/make_operation_goldens.py
Versions: torch 2.13.0 (CPU), Python 3.11. No weights, no network.

These values hold the references, which the conformance kit compares kernels with. They are made by other means than the
references where there are such: PyTorch's own layers, autograd for gradients, distributions and Tweedie's formula for
posterior means, complex numbers for rotary embeddings. Inputs are multiples of 1/256, so that they are exact as float32
and short as text; a number is the same for both sides.

A golden is an operation, a name, numbers, inputs (floats), integers, and outputs, with the tolerance of a device
and that of the reference.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(13)
goldens = []


def draw(*shape, scale=1.0):
    """Normal numbers, as multiples of 1/256."""
    return torch.round(256 * scale * torch.randn(*shape, generator=generator)) / 256


def pick(bound, *shape):
    return torch.randint(0, bound, shape, generator=generator)


def flat(tensor):
    return [float(f"{value:.10g}") for value in torch.as_tensor(tensor).double().reshape(-1).tolist()]


def add(operation, name, outputs, inputs=None, integers=None, /, *, absolute=2e-6, relative=2e-6, reference=1e-6, **numbers):
    for key, tensor in (inputs or {}).items():
        assert (tensor.float().double() == tensor).all(), (operation, name, key)
    values = {key: flat(tensor) for key, tensor in outputs.items()}
    assert all(math.isfinite(value) for list in values.values() for value in list), (operation, name)
    goldens.append({
        "operation": operation, "name": name, "absolute": absolute, "relative": relative, "reference": reference,
        "numbers": {key: float(value) for key, value in numbers.items()},
        "inputs": {key: flat(tensor) for key, tensor in (inputs or {}).items()},
        "integers": {
            key: torch.as_tensor(tensor).reshape(-1).tolist() for key, tensor in (integers or {}).items()},
        "outputs": values})


ACTIVATIONS = {
    "none": lambda x: x, "gelu": F.gelu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"), "relu": F.relu,
    "silu": F.silu}


# Products

def scores(rows, columns, scale):
    """[heads, rows, columns] of [rows, heads, channels] and [columns, heads, channels]."""
    return scale * torch.einsum("ihc,jhc->hij", rows, columns)


rows, columns = draw(5, 2, 3), draw(4, 2, 3)
add("scores", "two heads", {"scores": scores(rows, columns, 0.25)}, {"rows": rows, "columns": columns},
    {"rowLengths": [5], "columnLengths": [4]}, heads=2, channels=3, scale=0.25)
rows, columns = draw(5, 1, 4), draw(6, 1, 4)
add("scores", "ragged",
    {"scores": torch.cat([
        scores(rows[:2], columns[:5], 0.5).reshape(-1), scores(rows[2:], columns[5:], 0.5).reshape(-1)])},
    {"rows": rows, "columns": columns}, {"rowLengths": [2, 3], "columnLengths": [5, 1]}, heads=1, channels=4, scale=0.5)


def listed(all_scores, threshold, triangular, margin, first_matrix):
    """The cells of [matrices, tokens, tokens] that pass, sorted, as matrix, row, column, score."""
    length = all_scores.shape[1]
    inside = (torch.arange(length) >= margin) & (torch.arange(length) < length - margin)
    allowed = inside[:, None] & inside[None, :]
    if triangular:
        allowed = allowed.triu()
    found = torch.nonzero((all_scores > threshold) & allowed)
    cells = [
        [float(first_matrix + m), float(i), float(j), float(all_scores[m, i, j])] for m, i, j in found.tolist()]
    return cells


def selection(name, lengths, heads, channels, types, thresholds, triangular, margin):
    tokens = sum(lengths)
    queries, keys = draw(tokens, heads, channels), draw(tokens, heads, channels)
    biases = draw(tokens, 2 * types) if types else None
    scale, bias_scale = 0.5, 0.25
    cells, counts, first = [], [], 0
    for segment, length in enumerate(lengths):
        part = slice(first, first + length)
        matrix = scores(queries[part], keys[part], scale)
        if types:
            starts, ends = biases[part, :types].T, biases[part, types:].T
            matrix = matrix + bias_scale * (starts[:, :, None] + ends[:, None, :])
        own = listed(matrix, thresholds[segment], triangular, margin, segment * len(matrix))
        cells += own
        counts.append(len(own))
        first += length
    assert all(counts), counts
    inputs = {"queries": queries, "keys": keys, "thresholds": torch.tensor(thresholds)}
    if types:
        inputs["biases"] = biases
    add("selection", name, {"cells": cells, "counts": [sum(counts)] + counts}, inputs, {"lengths": lengths},
        heads=heads, channels=channels, types=types, scale=scale, biasScale=bias_scale, triangular=triangular,
        margin=margin, capacity=len(cells) + 5)


selection("two heads, square", [4, 6], 2, 3, 0, [0.25, -0.5], False, 0)
selection("triangular, margin 1", [5, 7], 1, 4, 0, [-0.5, 0.25], True, 1)
selection("typed, triangular, margin 1", [5, 6], 1, 4, 3, [0.5, 0.25], True, 1)
selection("typed, square", [4], 1, 2, 2, [0.75], False, 0)


def link_scores(rows, columns, pairs, biases, predicates):
    """[pairs, predicates]"""
    if biases is None:
        return 0.5 * (rows[pairs[:, 0]] * columns[pairs[:, 1]]).sum(-1)
    product = 0.5 * (rows[pairs[:, 0], 0] * columns[pairs[:, 1], 0]).sum(-1, keepdim=True)
    return product + 0.25 * (biases[pairs[:, 0], :predicates] + biases[pairs[:, 1], predicates:])


for name, heads, predicates in [("heads of their own", 3, 3), ("predicates by bias", 1, 4)]:
    tokens, pairs = 6, pick(6, 9, 4)
    inputs = {side + part: draw(tokens, heads, 4) for side in ["head", "tail"] for part in ["Rows", "Columns"]}
    biases = {}
    if heads == 1:
        biases = {side + "Biases": draw(tokens, 2 * predicates) for side in ["head", "tail"]}
    head = link_scores(inputs["headRows"], inputs["headColumns"], pairs[:, :2], biases.get("headBiases"), predicates)
    tail = link_scores(inputs["tailRows"], inputs["tailColumns"], pairs[:, 2:], biases.get("tailBiases"), predicates)
    found = torch.nonzero((head > -0.25) & (tail > -0.25)).tolist()
    assert 2 < len(found) < 9 * predicates
    add("links", name,
        {"hits": [[float(x), float(p), float(head[x, p]), float(tail[x, p])] for x, p in found],
         "count": [len(found)]},
        inputs | biases, {"pairs": pairs}, heads=heads, channels=4, predicates=predicates, scale=0.5, biasScale=0.25,
        threshold=-0.25, pairs=9, capacity=len(found) + 3)


def top_k(name, rows, columns, terms, k, scale, excluded):
    values = scale * rows @ columns.T + terms
    for row, column in enumerate(excluded):
        if column >= 0:
            values[row, column] = -math.inf
    # Stable: of equal values the first.
    best, indices = torch.sort(values, dim=1, descending=True, stable=True)
    add("topK", name, {"values": best[:, :k], "indices": indices[:, :k]},
        {"rows": rows, "columns": columns, "terms": terms}, {"excluded": excluded}, channels=rows.shape[1], k=k,
        scale=scale)


top_k("ties and exclusions", draw(4, 3).round(), draw(11, 3).round(), draw(11).round(), 5, 0.5, [0, -1, 10, 4])
points = draw(9, 2).round()
top_k("among themselves", points, points, draw(9).round(), 4, 1.0, list(range(9)))


# Rows

for name, function in ACTIVATIONS.items():
    input, weights, bias = draw(7, 4, scale=2), draw(3, 4), draw(3)
    add("dense", name, {"out": function(F.linear(input, weights, bias))},
        {"input": input, "weights": weights, "bias": bias}, {"activation": [list(ACTIVATIONS).index(name)]},
        absolute=5e-6, rows=7, inputs=4, outputs=3)
input, weights, bias, residual = draw(3, 5), draw(4, 5), draw(4), draw(3, 4)
add("dense", "silu, residual", {"out": F.silu(F.linear(input, weights, bias)) + residual},
    {"input": input, "weights": weights, "bias": bias, "residual": residual}, {"activation": [4]}, absolute=5e-6,
    rows=3, inputs=5, outputs=4)

gradient, input = draw(6, 3), draw(6, 4)
weight = torch.zeros(3, 4, requires_grad=True)
(slope,) = torch.autograd.grad(F.linear(input, weight), weight, gradient)
add("weightGradient", "of a linear layer", {"out": slope}, {"gradient": gradient, "input": input}, rows=6, outputs=3,
    inputs=4)
bias = torch.zeros(3, requires_grad=True)
(slope,) = torch.autograd.grad(F.linear(input, torch.zeros(3, 4), bias), bias, gradient)
add("columnSum", "gradient of a bias", {"out": slope}, {"matrix": gradient}, rows=6, columns=3)
values = draw(700)
add("squareSum", "a squared norm", {"out": torch.linalg.vector_norm(values).square().reshape(1)}, {"values": values})

for name, offset, epsilon, absolute in [("rows", 0, 1e-5, 1e-5), ("large offset", 1000, 1e-5, 1e-3)]:
    input, gain, bias = offset + draw(3, 9), draw(9), draw(9)
    add("layerNormalization", name, {"out": F.layer_norm(input, (9,), gain, bias, float(torch.tensor(epsilon).float()))},
        {"input": input, "gain": gain, "bias": bias}, absolute=absolute, rows=3, width=9, epsilon=epsilon)

words, positions, types = draw(6, 5), draw(4, 5), draw(2, 5)
ids, places = torch.tensor([5, 0, 3]), torch.tensor([0, 3, 1])
add("embeddingSum", "three tables",
    {"out": F.embedding(ids, words) + F.embedding(places, positions) + F.embedding(torch.zeros(3).long(), types)},
    {"words": words, "positions": positions, "types": types}, {"ids": ids, "places": places}, rows=3, width=5)

source, mix = draw(4, 3), torch.tensor([0.0, 0.25, 1.0])
pairs = torch.tensor([[0, 3], [-1, 2], [1, -1]])
padded = torch.cat([source, torch.zeros(1, 3)])
add("blendRows", "with missing rows", {"out": torch.lerp(padded[pairs[:, 1]], padded[pairs[:, 0]], mix[:, None])},
    {"source": source, "weights": mix}, {"indices": pairs}, rows=3, width=3)


def rotated(vectors, positions):
    """Rotary embedding (Su et al., 2021) of [rows, heads, channels]: pairs of channels as complex numbers."""
    channels = vectors.shape[-1]
    angles = positions[:, None].double() * 10_000 ** (-torch.arange(0, channels, 2).double() / channels)
    turns = torch.polar(torch.ones_like(angles), angles)
    pairs = torch.view_as_complex(vectors.reshape(*vectors.shape[:-1], channels // 2, 2))
    return torch.view_as_real(pairs * turns[:, None]).reshape(vectors.shape)


vectors, positions = draw(5, 2, 6), torch.tensor([0, 1, 7, 100, 511])
add("rotate", "by position", {"out": rotated(vectors, positions)}, {"vectors": vectors}, {"positions": positions},
    rows=5, heads=2, channels=6)
vectors = draw(7, 2, 4)
for name, turned in [("as they are", vectors), ("rotated by place", rotated(vectors, torch.tensor([0, 1, 2, 3, 0, 1, 2])))]:
    add("pack", name, {"columns": turned}, {"vectors": vectors}, {"lengths": [4, 3]}, heads=2, channels=4,
        rotated=name != "as they are")


def attention(name, lengths, heads, channels, scale, size, absolute):
    queries, keys, values = (draw(sum(lengths), heads, channels, scale=size) for _ in range(3))
    parts = [part.split(lengths) for part in (queries, keys, values)]
    out = [
        F.scaled_dot_product_attention(*(x.transpose(0, 1) for x in part), scale=scale).transpose(0, 1)
        for part in zip(*parts)]
    add("attention", name, {"out": torch.cat(out)}, {"queries": queries, "keys": keys, "values": values},
        {"lengths": lengths}, absolute=absolute, heads=heads, channels=channels, scale=scale)


attention("ragged", [3, 5, 1], 2, 4, 0.5, 1, 3e-6)
attention("large scores", [6, 2], 1, 4, 64, 2, 4e-4)


# Images, [images, channels, height, width] for PyTorch

def pixels(planes):
    return planes.permute(0, 2, 3, 1)


def convolution(
        name, images=2, height=4, width=3, inputs=2, second=0, outputs=3, size=3, stride=1, after=False, upsamples=False,
        shifted=False, residual=False, activation="none", scale=1.0):
    x = draw(images, inputs + second, height, width)
    kernels, bias = draw(outputs, inputs + second, size, size), draw(outputs)
    y = F.interpolate(x, scale_factor=2, mode="nearest") if upsamples else x
    if after:
        y = F.conv2d(F.pad(y, (0, 1, 0, 1)), kernels, bias, stride=stride)
    else:
        y = F.conv2d(y, kernels, bias, stride=stride, padding=size // 2)
    inputs_by_name = {"pixels": pixels(x[:, :inputs]), "kernels": kernels, "bias": bias}
    if second:
        inputs_by_name["second"] = pixels(x[:, inputs:])
    if shifted:
        shift = draw(images, outputs)
        inputs_by_name["shift"] = shift
        y = y + shift[:, :, None, None]
    y = ACTIVATIONS[activation](y)
    if residual:
        added = draw(*y.shape)
        inputs_by_name["residual"] = pixels(added)
        y = y + added
    add("convolution", name, {"out": pixels(scale * y)}, inputs_by_name,
        {"activation": [list(ACTIVATIONS).index(activation)]}, absolute=5e-6, images=images, height=height, width=width,
        inputs=inputs, second=second, outputs=outputs, size=size, stride=stride, after=after, upsamples=upsamples,
        scale=scale, outHeight=y.shape[2], outWidth=y.shape[3])


convolution("3 × 3")
convolution("1 × 1", size=1)
convolution("stride 2", height=5, stride=2)
convolution("stride 2, padding after", height=4, width=6, stride=2, after=True)
convolution("made larger", upsamples=True, height=3, width=2)
convolution("two inputs, shift, SiLU, residual, scale", second=3, shifted=True, residual=True, activation="silu", scale=0.75)

for name, second, modulated, activation in [
        ("groups", 0, False, "none"), ("two inputs, SiLU", 2, False, "silu"), ("modulated", 0, True, "none"),
        ("modulated, SiLU", 2, True, "silu")]:
    x = 3 + draw(2, 4 + second, 3, 2)
    gain, bias = draw(4 + second), draw(4 + second)
    y = F.group_norm(x, 2, gain, bias, float(torch.tensor(1e-5).float()))
    inputs_by_name = {"pixels": pixels(x[:, :4]), "gain": gain, "bias": bias}
    if second:
        inputs_by_name["second"] = pixels(x[:, 4:])
    if modulated:
        factor, shift = draw(2, 4 + second), draw(2, 4 + second)
        inputs_by_name |= {"factor": factor, "shift": shift}
        y = y * (1 + factor[:, :, None, None]) + shift[:, :, None, None]
    add("groupNormalization", name, {"out": pixels(ACTIVATIONS[activation](y))}, inputs_by_name,
        {"activation": [list(ACTIVATIONS).index(activation)]}, absolute=1e-5, images=2, height=3, width=2, inputs=4,
        second=second, groups=2, epsilon=1e-5)

x = draw(2, 3, 2, 4)
add("pixelOrder", "planes to pixels", {"out": pixels(x)}, {"source": x}, images=2, height=2, width=4, channels=3,
    toPixels=1)
scales = torch.tensor([0.5, -2.0])
add("pixelOrder", "pixels to planes, scaled", {"out": scales[:, None, None, None] * x},
    {"source": pixels(x), "scales": scales}, images=2, height=2, width=4, channels=3, toPixels=0)

times = torch.tensor([0.0, 0.25, 37.5, 999.0])
for name, channels, shift, cosine_first in [
        ("sines first", 6, 0, False), ("cosines first, shift 1", 8, 1, True), ("an odd channel", 7, 0, False)]:
    half = channels // 2
    angles = times[:, None] * torch.exp(-math.log(10_000) * torch.arange(half) / (half - shift))
    parts = [angles.cos(), angles.sin()] if cosine_first else [angles.sin(), angles.cos()]
    add("timeEmbedding", name, {"out": F.pad(torch.cat(parts, dim=1), (0, channels % 2))}, {"times": times},
        channels=channels, shift=shift, cosineFirst=cosine_first)
times, turns = torch.tensor([0.0625, 1.0, 50.0]), draw(3, scale=8)
angles = 2 * math.pi * torch.log(times)[:, None] * turns
add("timeEmbedding", "of a logarithm", {"out": torch.cat([angles.sin(), angles.cos()], dim=1)},
    {"times": times, "turns": turns}, absolute=1e-4, channels=6, shift=0, cosineFirst=0)


# Losses: weighted logarithms of sums by logsumexp, derivatives by autograd

def zlpr(all_scores, labels):
    """ln(1 + Σ (1 - t) exp(s)) + ln(1 + Σ t exp(-s)) over the last dimension; cells with a negative label do not count."""
    zero = torch.zeros(*all_scores.shape[:-1], 1)
    soft = (labels >= 0) & (labels < 1)
    negative = torch.where(soft, all_scores + torch.log(torch.where(soft, 1 - labels, 1.0)), -math.inf)
    hard = labels > 0
    positive = torch.where(hard, -all_scores + torch.log(torch.where(hard, labels, 1.0)), -math.inf)
    return torch.logsumexp(torch.cat([negative, zero], -1), -1) + torch.logsumexp(torch.cat([positive, zero], -1), -1)


for name, size, absolute in [("hard, soft and uncounted", 4, 2e-6), ("large scores", 2000, 1e-6)]:
    logits = draw(3, 11, scale=size).requires_grad_()
    labels = torch.tensor([0, 0, 0, 1, 0.25, -1])[pick(6, 3, 11)]
    losses = zlpr(logits, labels)
    (slope,) = torch.autograd.grad(losses.sum(), logits)
    add("rowLoss", name, {"losses": losses, "gradient": slope}, {"logits": logits.detach(), "labels": labels},
        absolute=absolute, relative=2e-3 if size > 100 else 2e-5, rows=3, classes=11)


def pair_loss(name, binary, lengths, heads, channels, types, triangular, margin, share, background, size=1.0):
    tokens, weight, scale, bias_scale = sum(lengths), 0.5, 0.25, 0.5
    queries, keys = (draw(tokens, heads, channels, scale=size).requires_grad_() for _ in range(2))
    biases = draw(tokens, 2 * types).requires_grad_() if types else None
    kinds = types or heads
    backgrounds = background * torch.arange(1, kinds + 1)
    labels, label_cells, losses, first = [], [], [], 0
    for segment, length in enumerate(lengths):
        part = slice(first, first + length)
        matrix = scores(queries[part], keys[part], scale)
        if types:
            starts, ends = biases[part, :types].T, biases[part, types:].T
            matrix = matrix + bias_scale * (starts[:, :, None] + ends[:, None, :])
        target = backgrounds[:, None, None].expand(kinds, length, length).clone()
        chosen = torch.rand(kinds, length, length, generator=generator) < share
        for t, i, j in torch.nonzero(chosen).tolist():
            value = [1.0, 1.0, 0.25, 0.0][int(pick(4, 1))]
            target[t, i, j] = value
            label_cells.append([segment, t, i, j])
            labels.append(value)
        inside = (torch.arange(length) >= margin) & (torch.arange(length) < length - margin)
        allowed = inside[:, None] & inside[None, :]
        allowed = (allowed.triu() if triangular else allowed).expand(kinds, -1, -1)
        if binary:
            each = F.binary_cross_entropy_with_logits(matrix, target, reduction="none")
            losses.append(torch.where(allowed, each, 0.0).sum((1, 2)))
        else:
            losses.append(zlpr(matrix.flatten(1), torch.where(allowed, target, -1.0).flatten(1)))
        first += length
    losses = torch.cat(losses)
    leaves = [queries, keys] + ([biases] if types else [])
    slopes = torch.autograd.grad(weight * losses.sum(), leaves)
    outputs = {"losses": losses, "queryGradients": slopes[0], "keyGradients": slopes[1]}
    inputs = {"queries": queries.detach(), "keys": keys.detach(), "backgrounds": backgrounds,
              "labelValues": torch.tensor(labels)}
    if types:
        outputs["biasGradients"] = slopes[2]
        inputs["biases"] = biases.detach()
    large = size > 4
    add("pairLoss", name, outputs, inputs, {"lengths": lengths, "labels": label_cells}, absolute=1e-4 if large else 4e-6,
        relative=1e-3 if large else 2e-5,
        # Logarithms over all cells are kept as float32: near 600 they are known to 3e-5, and vectors are 48.
        reference=2e-4 if large else 1e-6, binary=binary, heads=heads, channels=channels, types=types, scale=scale,
        biasScale=bias_scale, triangular=triangular, margin=margin, weight=weight)


for binary in [False, True]:
    kind = "binary" if binary else "ZLPR"
    pair_loss(f"{kind}, a head a type", binary, [5, 3], 2, 3, 0, True, 0, 0.3, 0.0)
    pair_loss(f"{kind}, shared product, soft, square, margin 1", binary, [5, 4], 1, 4, 3, False, 1, 0.3, 0.125)
pair_loss("ZLPR, large scores", False, [4], 2, 1, 0, True, 0, 0.3, 0.0, size=48)


# Diffusion

def mixture(name, groups, channels, levels, rows, absolute):
    """Tweedie: E[x0 | x] = (x + σ² ∇ ln p(x)) / α, with the density's derivative by autograd."""
    components = sum(count for count, _ in groups)
    means, weights = draw(components, channels), draw(components)
    samples = draw(rows, channels)
    spread = torch.cat([torch.full((count,), variance) for count, variance in groups])
    out = []
    for row in range(rows):
        alpha, sigma = levels[min(row, len(levels) - 1)]
        x = samples[row].clone().requires_grad_()
        deviation = (alpha * alpha * spread + sigma * sigma).sqrt()[:, None].expand(-1, channels)
        density = torch.distributions.MixtureSameFamily(
            torch.distributions.Categorical(logits=weights),
            torch.distributions.Independent(torch.distributions.Normal(alpha * means, deviation), 1))
        (slope,) = torch.autograd.grad(density.log_prob(x), x)
        out.append((samples[row] + sigma * sigma * slope) / alpha)
    add("posteriorMean", name, {"out": torch.stack(out)},
        {"means": means, "logWeights": weights, "samples": samples, "levels": torch.tensor(levels),
         "variances": torch.tensor([variance for _, variance in groups])},
        {"groups": [count for count, _ in groups]}, absolute=absolute, channels=channels, rows=rows,
        perSample=len(levels) > 1)


mixture("points", [(7, 0.0)], 3, [(0.75, 0.5)], 4, 1e-5)
mixture("groups of three variances", [(3, 0.25), (1, 0.0), (4, 1.0)], 2, [(0.5, 0.875)], 4, 1e-5)
mixture("a level for each sample", [(5, 0.125)], 3, [(0.875, 0.5), (0.125, 1.0), (1.0, 0.25)], 3, 1e-5)


def philox(counter, key):
    """Philox4x32-10 (Salmon et al., 2011)."""
    mask = 0xFFFFFFFF
    for _ in range(10):
        low, high = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(high >> 32) ^ counter[1] ^ key[0], high & mask, (low >> 32) ^ counter[3] ^ key[1], low & mask]
        key = [(key[0] + 0x9E3779B9) & mask, (key[1] + 0xBB67AE85) & mask]
    return counter


# Random123's known answer.
assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
SEED, IDENTITIES = 0x1_2345_6789, [3, 80, 4_000_000_000]


def normals(elements, step, stream):
    """Box and Muller's normals of each sample, from float32's middle of an interval."""
    out = []
    for sample in IDENTITIES:
        row = []
        for block in range((elements + 3) // 4):
            words = philox([block, step, sample, stream], [SEED & 0xFFFFFFFF, SEED >> 32])
            u = [float(torch.tensor(float(word)).float() * 2**-32 + 2**-33) for word in words]
            u = [float(torch.tensor(value).float()) for value in u]
            for a, b in [(u[0], u[1]), (u[2], u[3])]:
                radius = math.sqrt(-2 * math.log(a))
                row += [radius * math.cos(2 * math.pi * b), radius * math.sin(2 * math.pi * b)]
        out.append(row[:elements])
    return torch.tensor(out)


COLUMNS = [
    "x0FromSample", "x0FromOutput", "epsilonFromSample", "epsilonFromOutput", "sample", "x0", "epsilon", "noise",
    "history0", "history1", "history2", "limit", "alpha", "sigma", "time", "inputScale", "variance0", "variance1",
    "variance2"]
VARIANCES = ["fixed", "learnedRange", "noiseResidual", "noiseSquare"]


def coefficients():
    row = {name: float(draw(1)[0]) for name in COLUMNS}
    return row | {"limit": 0.75, "sigma": 0.625, "variance0": 0.25, "variance1": 0.5, "variance2": 0.875}


def table(row):
    return torch.tensor([row[name] for name in COLUMNS])


def denoise(name, evaluated=True, history=0, clip="none", noise=False, variance="fixed"):
    samples, elements = 3, 6
    row, x = coefficients(), draw(samples, elements)
    output = draw(samples, 2, elements)
    earlier = draw(history, samples, elements) if history else torch.zeros(0)
    thresholds = torch.tensor([1.0, 1.25, 2.0])
    x0 = row["x0FromSample"] * x + row["x0FromOutput"] * output[:, 0]
    epsilon = row["epsilonFromSample"] * x + row["epsilonFromOutput"] * output[:, 0]
    if clip == "fixed":
        x0 = x0.clamp(-row["limit"], row["limit"])
    elif clip == "thresholds":
        x0 = torch.minimum(torch.maximum(x0, -thresholds[:, None]), thresholds[:, None]) / thresholds[:, None]
    result = row["sample"] * x
    if evaluated:
        result = result + row["x0"] * x0 + row["epsilon"] * epsilon
    for k in range(history):
        result = result + row[f"history{k}"] * earlier[k]
    if noise:
        second = output[:, 1]
        v0, v1, v2 = row["variance0"], row["variance1"], row["variance2"]
        square = {
            "fixed": torch.ones_like(x),
            "learnedRange": torch.exp(torch.lerp(torch.full_like(x, v0), torch.full_like(x, v1), (second + 1) / 2)),
            "noiseResidual": v0 + v1 * (v2 * second).clamp(0, 1),
            "noiseSquare": v0 + v1 * (v2 * (second - epsilon**2)).clamp(0, 1)}[variance]
        result = result + row["noise"] * square.sqrt() * normals(elements, 5, 1)
    outputs = {"next": result}
    if evaluated:
        outputs |= {"x0": x0, "epsilon": epsilon}
    add("denoise", name, outputs,
        {"table": table(row), "x": x, "output": output, "history": earlier, "thresholds": thresholds},
        {"identities": IDENTITIES, "variance": [VARIANCES.index(variance)]}, absolute=4e-6, samples=samples,
        elements=elements, evaluated=evaluated, history=history, clip=["none", "fixed", "thresholds"].index(clip),
        noise=noise, seed=SEED, step=5)


denoise("plain")
denoise("clipped, history, noise", history=1, clip="fixed", noise=True)
denoise("thresholds, two of history", history=2, clip="thresholds")
denoise("without an output, three of history, noise", evaluated=False, history=3, noise=True)
for variance in VARIANCES[1:]:
    denoise(f"variance: {variance}", noise=True, variance=variance)

samples, elements = 3, 6
for name, based, masked in [("noise alone", False, False), ("on a base, beside a mask", True, True)]:
    row, base, start = coefficients(), draw(samples, elements), draw(samples, elements)
    mask = torch.tensor([0.0, 0.25, 1.0])[pick(3, samples, elements)]
    result = row["noise"] * normals(elements, 9, 0)
    if based:
        result = result + row["sample"] * base
    if masked:
        result = torch.lerp(result, start, mask)
    add("noise", name, {"out": result}, {"table": table(row), "base": base, "mask": mask, "start": start},
        {"identities": IDENTITIES}, samples=samples, elements=elements, based=based, masked=masked, seed=SEED, step=9)

row, x, output = coefficients(), draw(samples, elements), draw(samples, elements)
score = -(row["epsilonFromSample"] * x + row["epsilonFromOutput"] * output) / row["sigma"]
z = normals(elements, 5, 2)
ratio = 0.1875 * torch.linalg.vector_norm(z, dim=1) / torch.linalg.vector_norm(score, dim=1)
size = (2 * 0.875 * ratio**2)[:, None]
add("langevin", "one step", {"x": x + size * score + (2 * size).sqrt() * z}, {"table": table(row), "x": x, "output": output},
    {"identities": IDENTITIES}, absolute=1e-5, relative=1e-5, samples=samples, elements=elements, signalToNoise=0.1875,
    factor=0.875, seed=SEED, step=5)

a, b, error = draw(samples, 9), draw(samples, 9), draw(samples, 9)
add("sampleSum", "product", {"out": torch.linalg.vecdot(a, b)}, {"a": a, "b": b}, absolute=1e-5, samples=samples,
    elements=9, scaled=0)
scaled = error / (0.125 + 0.25 * torch.maximum(a.abs(), b.abs()))
add("sampleSum", "scaled error", {"out": scaled.square().sum(1)}, {"a": a, "b": b, "error": error}, absolute=1e-5,
    relative=1e-5, samples=samples, elements=9, scaled=1, absoluteTolerance=0.125, relativeTolerance=0.25)

for ratio in [0.0, 0.625, 0.9, 1.0]:
    row, x, output = coefficients(), draw(samples, 13, scale=2), draw(samples, 13, scale=2)
    row |= {"x0FromSample": 1.25, "x0FromOutput": -0.75, "limit": 3.0}
    magnitudes = (row["x0FromSample"] * x + row["x0FromOutput"] * output).abs()
    add("quantile", f"{ratio}", {"out": torch.quantile(magnitudes, ratio, dim=1).clamp(1, row["limit"])},
        {"table": table(row), "x": x, "output": output}, samples=samples, elements=13, ratio=ratio)

# New goldens come last: each draw moves all that come after it.

vectors = draw(4, 19)
add("rowSquares", "4 x 19", {"out": torch.linalg.vecdot(vectors, vectors)}, {"vectors": vectors}, rows=4, channels=19)

def distances(name, rows, columns):
    add("distances", name, {"out": torch.cdist(rows, columns, compute_mode="donot_use_mm_for_euclid_dist")},
        {"rows": rows, "columns": columns, "rowSquares": rows.square().sum(1), "columnSquares": columns.square().sum(1)},
        channels=rows.shape[1])


distances("two sets", draw(5, 3), draw(7, 3))
points = draw(6, 4)
distances("a set and itself, shuffled", points, points.flip(0))

names = [(golden["operation"], golden["name"]) for golden in goldens]
assert len(set(names)) == len(names)
file = pathlib.Path(__file__).parent / "operations.json"
with open(file, "w") as out:
    out.write("[\n" + ",\n".join(json.dumps(golden, separators=(",", ":"), ensure_ascii=False) for golden in goldens) + "\n]\n")
print(len(goldens), "goldens,", file.stat().st_size, "bytes")
