"""Times a loss over token pairs and its gradient: PyTorch, by autograd.

Timed: unrotated queries and keys (and the efficient head's biases) in memory, to the loss and its
gradients with respect to them: RoPE, products, scale, masks, loss, and all of it backwards. Not
timed: the dense layers before it, tables, labels, the mask of the cells that count.

The loss is ZLPR, log(1 + sum_P e^-s) + log(1 + sum_N e^s), or the binary cross-entropy of every
cell, log(1 + e^s) - t s: of each type the sum over the cells, the sum over types, the mean over
the batch. Cells count whose start is not after their end and both of which are at least --margin
from either end of the sequence: 1 leaves out [CLS] and [SEP].

Two forms do the same work. `published` is what most projects run: the head that bert4torch ships,
dense labels [B, H, n, n], and the loss as its author gives it, which builds positives, negatives,
and both with a zero appended. The labels are there before it starts and count neither in time nor
in memory. `lean` is by someone who counts passes over B x H x n x n: the scale goes into the
queries, scores are masked once, in place, positives are products of gathered vectors, and the
exponentials overwrite the scores and become their gradient. A claim should hold against both.

The inputs are those of `weft bench loss`, number for number, as in links.py: normal numbers from
seeds 1 (queries and keys, [rows, heads, 2, d]) and 2 (biases, [rows, 2, types]); from seed 7, for
each sequence, --positives labels, each of three draws: type = draw mod H, first token = 1 + draw
mod (n - 2), last token = min(first + draw mod 4, n - 2); equal ones count once. So both must find
the same loss and the same norm of the gradient.
"""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from inputs import BIAS_SCALE, Head, splitmix
from measure import common_arguments, measure, report
from pairs import bert4torch_form, raw_scores, rotate, rotation_tables


def multilabel_crossentropy(scores, labels):
    """ZLPR [rows] of scores and labels [rows, cells], in its author's operations."""
    scores = (1 - 2 * labels) * scores
    negatives = scores - labels * 1e12
    positives = scores - (1 - labels) * 1e12
    zeros = torch.zeros_like(scores[:, :1])
    negatives = torch.cat([negatives, zeros], dim=-1)
    positives = torch.cat([positives, zeros], dim=-1)
    return torch.logsumexp(negatives, dim=-1) + torch.logsumexp(positives, dim=-1)


def published_loss(inputs, labels, mask, arguments):
    batch, heads = labels.shape[:2]
    if arguments.loss == "zlpr":
        scores = bert4torch_form(inputs, mask, arguments.head).reshape(batch * heads, -1)
        return multilabel_crossentropy(scores, labels.reshape(batch * heads, -1)).sum() / batch
    # Minus infinity times a label of 0 is not a number, so cells are masked by their weight.
    scores = bert4torch_form(inputs, torch.ones_like(mask), arguments.head, triangular=False)
    weight = (mask[:, None, :, None] * mask[:, None, None, :]).triu()
    return binary_cross_entropy_with_logits(scores, labels, weight, reduction="sum") / batch


class LogSumExponentials(torch.autograd.Function):
    """log(1 + sum e^s) over the last axis. The scores' memory becomes that of their gradient."""

    @staticmethod
    def forward(context, scores):
        highest = scores.amax(-1, keepdim=True).clamp_(min=0)
        scores = scores.detach().sub_(highest).exp_()
        total = scores.sum(-1, keepdim=True) + torch.exp(-highest)
        context.exponentials, context.total = scores, total
        return (total.log() + highest).squeeze(-1)

    @staticmethod
    def backward(context, gradient):
        return context.exponentials.mul_(gradient[..., None] / context.total)


class SoftplusSum(torch.autograd.Function):
    """The sum of log(1 + e^s). The scores' memory becomes that of their gradient."""

    @staticmethod
    def forward(context, scores):
        total = softplus(scores).sum()
        context.sigmoids = scores.detach().sigmoid_()
        return total

    @staticmethod
    def backward(context, gradient):
        return context.sigmoids.mul_(gradient)


def label_scores(inputs, cells, head):
    """Scores [P] of cells [P, 4] alone: sequence, type, start, end."""
    queries, keys, bias, cosine, sine = inputs
    sequence, kind, start, end = cells.T
    one = (kind,) if head == "globalpointer" else ()
    first = rotate(queries[sequence, start, *one], cosine[start], sine[start])
    last = rotate(keys[sequence, end, *one], cosine[end], sine[end])
    scores = (first * last).sum(-1) * queries.shape[-1] ** -0.5
    if head == "globalpointer":
        return scores
    return scores + BIAS_SCALE * (bias[sequence, 2 * kind, start] + bias[sequence, 2 * kind + 1, end])


def lean_loss(inputs, cells, left_out, head, loss):
    """`left_out` [B or 1, 1, n, n] is true where a cell does not count; all labels are 1."""
    positives = label_scores(inputs, cells, head)
    scores = raw_scores(inputs, head, scale_queries=True)
    batch, types = scores.shape[:2]
    with torch.no_grad():  # a masked cell's exponential is zero, and so is its gradient
        scores.masked_fill_(left_out, -torch.inf)
    if loss == "bce":
        return (SoftplusSum.apply(scores) - positives.sum()) / batch
    with torch.no_grad():
        scores[tuple(cells.T)] = -torch.inf
    negative = LogSumExponentials.apply(scores.view(batch, types, -1))
    # A row a (sequence, type): a zero, then the labels of it, in as many columns as the longest row needs.
    row, rows = cells[:, 0] * types + cells[:, 1], batch * types
    counts = torch.bincount(row, minlength=rows)
    column = 1 + torch.arange(len(row)) - (counts.cumsum(0) - counts)[row]
    listed = torch.full((rows, 1 + int(counts.max())), -torch.inf)
    listed[:, 0] = 0
    listed = listed.index_put((row, column), -positives)
    return (negative.sum() + listed.logsumexp(-1).sum()) / batch


def make_labels(arguments):
    """Cells [P, 4] that are true, in order: sequence, type, start, end."""
    inner = arguments.length - 2
    draws = splitmix(7, 0, arguments.batch * arguments.positives * 3).reshape(-1, 3).tolist()
    cells = set()
    for index, (kind, first, last) in enumerate(draws):
        first = 1 + first % inner
        cells.add((index // arguments.positives, kind % arguments.heads, first, min(first + last % 4, inner)))
    return torch.tensor(sorted(cells))


def make_loss(arguments):
    """The tensors to differentiate by, and the loss as a function of nothing."""
    batch, heads, length = arguments.batch, arguments.heads, arguments.length
    tables = rotation_tables(length, arguments.head_size)
    queries, keys, bias = Head(arguments, heads, 1).inputs(batch, tables)[:3]
    variables = [tensor.contiguous().requires_grad_() for tensor in (queries, keys, bias) if tensor is not None]
    inputs = (*variables, *[None] * (3 - len(variables)), *tables)
    cells = make_labels(arguments)
    place = torch.arange(length)
    inner = (place >= arguments.margin) & (place < length - arguments.margin)
    if arguments.form == "published":
        labels = torch.zeros(batch, heads, length, length)
        labels[tuple(cells.T)] = 1
        mask = inner.float().expand(batch, -1)
        return variables, len(cells), lambda: published_loss(inputs, labels, mask, arguments)
    left_out = ~(inner[:, None] & inner).triu()[None, None]
    return variables, len(cells), lambda: lean_loss(inputs, cells, left_out, arguments.head, arguments.loss)


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=5)
    parser.add_argument("--head", choices=["globalpointer", "efficient"], default="globalpointer")
    parser.add_argument("--form", choices=["published", "lean"], default="published")
    parser.add_argument("--loss", choices=["zlpr", "bce"], default="zlpr")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--heads", type=int, default=10)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--head-size", type=int, default=64)
    parser.add_argument("--margin", type=int, choices=[0, 1], default=1)
    parser.add_argument("--positives", type=int, default=4, help="labels of a sequence")
    arguments = parser.parse_args()
    if arguments.length < 3 or min(arguments.batch, arguments.heads, arguments.positives) < 1:
        parser.error("--length must be at least 3, --batch, --heads and --positives at least 1")
    torch.set_num_threads(arguments.threads)

    variables, positives, loss = make_loss(arguments)

    def step():
        value = loss()
        return value, torch.autograd.grad(value, variables)

    (value, gradients), timing = measure(step, arguments.warmup, arguments.repetitions)
    shape = {name: getattr(arguments, name)
             for name in ("head", "form", "batch", "heads", "length", "head_size", "margin")}
    report(shape | {"loss_kind": arguments.loss, "positives": positives} | timing | {
        "loss": value.item(),
        "gradient_norm": sum(gradient.double().square().sum() for gradient in gradients).sqrt().item(),
    }, arguments.json)


if __name__ == "__main__":
    main()
