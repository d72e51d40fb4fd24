"""Times GPLinker decoding in PyTorch eager mode: spans, links among them, relations.

Timed: queries and keys (and the efficient heads' biases) of three heads in memory, to the set of
(subject, predicate, object) of each document. The heads: subjects and objects (2 types, RoPE,
lower-triangle mask), links of first tokens and links of last tokens (a type a predicate, neither
RoPE nor triangle). Not timed: the dense layers before them, tables, the making of the inputs.

`dense` is what most projects run: the heads that bert4torch ships build [B, 2, n, n] and twice
[B, P, n, n]; NumPy lists the spans above the threshold; Python loops over subjects and objects
ask the two matrices for the predicates of each pair. `lean` is by someone who saw that all but
a few cells of the large matrices are never read: entity scores as in `pairs.py`, then a product
of the gathered queries and keys of all pairs of the batch at once. `blocked` takes the entities
from the blocked form of `pairs.py`, and goes on like `lean`.

The inputs are those of `weft bench links`, number for number: SplitMix64 and Box-Muller with
the same seeds, the same spans and relations planted in each document. So both must find as many
spans and relations.
"""

import statistics

import numpy
import torch

from inputs import BIAS_SCALE, Head, score_deviation, splitmix
from measure import common_arguments, measure, report
from pairs import bert4torch_form, blocked_cells, inner_tokens, lean_form, rotation_tables

def plant_link(head, row, column, predicate):
    if not head.efficient:
        head.liken(column, row, predicate)
        return
    head.liken(column, row, predicate, 0.4)
    head.biases[row, 0, predicate] += 2.5
    head.biases[column, 1, predicate] += 2.5


def make_heads(arguments):
    entities = Head(arguments, 2, 1)
    heads, tails = (Head(arguments, arguments.predicates, seed) for seed in (3, 5))
    length = arguments.length
    planted = max(1, int(arguments.density * length * length / 2 + 0.5))
    draws = iter(splitmix(7, 0, arguments.batch * planted * 5).tolist())
    for document in range(arguments.batch):
        spans = []
        for label in range(2):
            for _ in range(planted):
                first = 1 + next(draws) % (length - 2)
                last = min(first + next(draws) % 4, length - 2)
                first, last = first + document * length, last + document * length
                entities.liken(last, first, label)
                if entities.efficient:
                    entities.biases[first, 0, 1 - label] -= 16
                spans.append((first, last))
        for subject, object in zip(spans[:planted], spans[planted:]):
            predicate = next(draws) % arguments.predicates
            plant_link(heads, subject[0], object[0], predicate)
            plant_link(tails, subject[1], object[1], predicate)
    return entities, heads, tails


def dense_decode(arguments, inputs, mask, threshold):
    """Dense scores of the whole batch, then Python loops over each document's spans."""
    entities = bert4torch_form(inputs[0], mask, arguments.head)
    links = [bert4torch_form(each, mask, arguments.head, triangular=False) for each in inputs[1:]]
    entities, heads, tails = (scores.cpu().numpy() for scores in (entities, *links))
    documents, spans = [], 0
    for document in range(arguments.batch):
        scores = entities[document]
        scores[:, [0, -1]] = -numpy.inf
        scores[:, :, [0, -1]] = -numpy.inf
        subjects, objects = set(), set()
        for label, first, last in zip(*numpy.where(scores > threshold)):
            (objects if label else subjects).add((first, last))
        relations = set()
        for subject in subjects:
            for object in objects:
                by_heads = numpy.where(heads[document, :, subject[0], object[0]] > threshold)[0]
                by_tails = numpy.where(tails[document, :, subject[1], object[1]] > threshold)[0]
                for predicate in set(by_heads) & set(by_tails):
                    relations.add((subject, predicate, object))
        documents.append(relations)
        spans += len(subjects) + len(objects)
    return spans, documents


def pair_scores(inputs, head, document, row, column):
    """Scores [pairs, P] of single cells."""
    queries, keys, bias, _, _ = inputs
    scores = (queries[document, row] * keys[document, column]).sum(-1) * queries.shape[-1] ** -0.5
    if head == "globalpointer":
        return scores
    start, end = bias[:, ::2], bias[:, 1::2]
    return scores[:, None] + BIAS_SCALE * (start[document, :, row] + end[document, :, column])


def lean_decode(arguments, inputs, mask, threshold):
    """Dense scores of the two labels alone; links of listed pairs; whole-batch operations."""
    cells = (lean_form(inputs[0], inner_tokens(mask), arguments.head) > threshold).nonzero()
    return linked(cells, arguments, inputs, threshold)


def blocked_decode(arguments, inputs, mask, threshold):
    """The same with the two labels' scores in blocks."""
    cells, _ = blocked_cells(inputs[0], inner_tokens(mask), arguments.head, threshold)
    return linked(cells[cells[:, 0].argsort()], arguments, inputs, threshold)


def linked(cells, arguments, inputs, threshold):
    subjects, objects = cells[cells[:, 1] == 0], cells[cells[:, 1] == 1]
    # Cells are in order of document, so a document's objects are a slice.
    counts = torch.bincount(objects[:, 0], minlength=arguments.batch)
    starts = counts.cumsum(0) - counts
    wanted = counts[subjects[:, 0]]
    subject = torch.arange(len(subjects)).repeat_interleave(wanted)
    offset = torch.arange(len(subject)) - (wanted.cumsum(0) - wanted)[subject]
    s, o = subjects[subject], objects[starts[subjects[subject, 0]] + offset]
    heads = pair_scores(inputs[1], arguments.head, s[:, 0], s[:, 2], o[:, 2])
    tails = pair_scores(inputs[2], arguments.head, s[:, 0], s[:, 3], o[:, 3])
    pairs, predicates = ((heads > threshold) & (tails > threshold)).nonzero(as_tuple=True)
    documents = [set() for _ in range(arguments.batch)]
    for s, o, predicate in zip(s[pairs].tolist(), o[pairs].tolist(), predicates.tolist()):
        documents[s[0]].add(((s[2], s[3]), predicate, (o[2], o[3])))
    return len(cells), documents


FORMS = {"dense": dense_decode, "lean": lean_decode, "blocked": blocked_decode}


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=5)
    parser.add_argument("--head", choices=["globalpointer", "efficient"], default="efficient")
    parser.add_argument("--form", choices=FORMS, default="dense")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--predicates", type=int, default=49)
    parser.add_argument("--head-size", type=int, default=64)
    parser.add_argument("--density", type=float, default=1e-4)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    with torch.inference_mode():
        tables = rotation_tables(arguments.length, arguments.head_size)
        heads = make_heads(arguments)
        inputs = [head.inputs(arguments.batch, tables if head is heads[0] else (None, None)) for head in heads]
        del heads
        mask = torch.ones(arguments.batch, arguments.length)
        threshold = statistics.NormalDist().inv_cdf(1 - arguments.density) * score_deviation(arguments.head)
        (spans, documents), timing = measure(
            lambda: FORMS[arguments.form](arguments, inputs, mask, threshold), arguments.warmup, arguments.repetitions)

    shape = {name: getattr(arguments, name)
             for name in ("head", "form", "batch", "length", "predicates", "head_size", "density")}
    report(shape | timing | {
        "documents_per_second": arguments.batch / timing["median_seconds"],
        "spans": spans,
        "relations": sum(map(len, documents)),
        "threshold": threshold,
    }, arguments.json)


if __name__ == "__main__":
    main()
