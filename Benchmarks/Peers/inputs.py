"""The inputs of `weft bench`, number for number: SplitMix64 and Box-Muller with the same seeds."""

import numpy
import torch

BIAS_SCALE = 0.5
GOLDEN = 0x9E3779B97F4A7C15


def mixed(states):
    """SplitMix64's output for each state."""
    states = (states ^ (states >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    states = (states ^ (states >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return states ^ (states >> numpy.uint64(31))


def splitmix(seed, start, count):
    steps = numpy.arange(start + 1, start + count + 1, dtype=numpy.uint64)
    return mixed(numpy.uint64(seed) + steps * numpy.uint64(GOLDEN))


def normal_numbers(count, seed):
    """As `normalNumbers` of `weft bench`: two draws a number, in pieces to save memory."""
    out = numpy.empty(count, numpy.float32)
    for start in range(0, count, 1 << 20):
        piece = min(1 << 20, count - start)
        draws = splitmix(seed, 2 * start, 2 * piece) & numpy.uint64(2**53 - 1)
        uniform = draws.astype(numpy.float64) * 2.0**-53
        radius = numpy.sqrt(-2 * numpy.log(numpy.maximum(uniform[0::2], 5e-324)))
        out[start:start + piece] = radius * numpy.cos(2 * numpy.pi * uniform[1::2])
    return torch.from_numpy(out)


def score_deviation(head):
    """Scores have variance 1, and two halved biases add a half."""
    return 1.5**0.5 if head == "efficient" else 1


class Head:
    """Queries, keys [rows, heads, d] and the biases [rows, 2, types], rows counted over the batch."""

    def __init__(self, arguments, types, seed):
        self.efficient = arguments.head == "efficient"
        rows, heads = arguments.batch * arguments.length, 1 if self.efficient else types
        self.types = types
        self.projected = normal_numbers(rows * heads * 2 * arguments.head_size, seed)
        self.projected = self.projected.view(rows, heads, 2, arguments.head_size)
        self.biases = normal_numbers(rows * 2 * types, seed + 1).view(rows, 2, types) if self.efficient else None

    def liken(self, key, query, kind, factor=1):
        block = 0 if self.efficient else kind
        self.projected[key, block, 1] = self.projected[query, block, 0] * factor

    def inputs(self, batch, tables):
        """What `pairs.py` takes: queries, keys [B, n, (H,) d], biases [B, 2H, n] in pairs (start, end), tables."""
        shape = (batch, -1) + self.projected.shape[1:2] + self.projected.shape[3:]
        queries, keys = (self.projected[:, :, side].reshape(shape) for side in range(2))
        if not self.efficient:
            return queries, keys, None, *tables
        biases = self.biases.view(batch, -1, 2, self.types).permute(0, 3, 2, 1).reshape(batch, 2 * self.types, -1)
        return queries[:, :, 0], keys[:, :, 0], biases, *tables
