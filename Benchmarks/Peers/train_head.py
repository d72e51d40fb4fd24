"""Trains a token-pair head for entities on an encoder's frozen features: PyTorch, by autograd.

The recipe is that of `weft train`, number for number where numbers are drawn, so that both see the
same parameters at first and the same windows in the same order; they differ by rounding:

- Windows are whole texts between [CLS] and [SEP]. Labels, in the order of their names, lie on the
  tokens that begin and end where they do; a label within a token is counted and left out.
- Random numbers are SplitMix64's. A generator's seed is k <- SplitMix64(k XOR n).next(), from the
  training's seed, for each n that says what it is for: 1 for the parameters; 2 and the epoch, from
  0, for the order of the windows (Fisher and Yates, from the last place down).
- Parameters are uniform in +-1/sqrt(inputs), weights before biases, layer after layer.
- A batch's loss is the sum over types and the mean over windows, of cells whose start is not after
  their end, neither of which is [CLS] or [SEP]: `lean_loss` of zlpr.py.
- AdamW, weight decay of weights alone, gradients clipped to a norm of 1, a learning rate that grows
  linearly over the first tenth of all steps and falls linearly after.
- After each epoch the F1 on the development part, at threshold 0, by exact place and label. What is
  reported of the test part is of the epoch with the best F1.

Features are computed once, in float32, and kept in memory; --features keeps them in a folder for
the next run. The dense layers see the tokens of a batch without padding. Each epoch's line on
standard error has the fields of `history.jsonl`; `seconds` are those of its steps, `dev_seconds`
those of the development part, and at the end `epoch_seconds` are the median of their sum and
`total_seconds` that of all epochs, to which the second total adds the encoder's.
"""

import argparse
import hashlib
import json
import math
import os
import statistics
import sys
import time
from pathlib import Path

# Threads that wait for one another sleep: for operations this small, spinning costs a busy machine ten times the work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy
import torch
from tokenizers import Tokenizer
from torch.nn.functional import linear

from encoder import load_encoder
from inputs import splitmix
from pairs import raw_scores, rotation_tables
from zlpr import lean_loss

PARAMETERS, ORDER = 1, 2


def key(seed, *numbers):
    for number in numbers:
        seed = int(splitmix(seed ^ number, 0, 1)[0])
    return seed


def order_of(count, seed, epoch):
    """The order of `count` windows in an epoch."""
    order = list(range(count))
    for place, draw in zip(range(count - 1, 0, -1), splitmix(key(seed, ORDER, epoch), 0, count).tolist()):
        other = draw % (place + 1)
        order[place], order[other] = order[other], order[place]
    return order


class Part:
    """Texts as tokens, and their labels: a window a text."""

    def __init__(self, path, tokenizer, labels, longest):
        documents = [json.loads(line) for line in open(path) if line.strip()]
        self.labels = labels or sorted({each["label"] for document in documents for each in document["entities"]})
        encodings = tokenizer.encode_batch([document["text"] for document in documents])
        self.ids = [encoding.ids for encoding in encodings]
        self.lengths = torch.tensor([len(ids) for ids in self.ids])
        if self.lengths.max() > longest:
            raise SystemExit(f"{path}: a text has {self.lengths.max()} tokens, the encoder takes {longest}; cut it")
        self.starts = self.lengths.cumsum(0) - self.lengths
        self.offsets = [encoding.offsets for encoding in encodings]
        self.gold = [{(each["start"], each["end"], each["label"]) for each in document["entities"]}
                     for document in documents]
        placed = list(map(self.place, self.gold, self.offsets))
        self.cells = [torch.tensor(sorted(cells), dtype=torch.long).view(-1, 3) for cells in placed]
        self.left_out = sum(map(len, self.gold)) - sum(map(len, placed))

    def place(self, entities, offsets):
        """Cells (type, start, end) of the entities that tokens bear out."""
        firsts, lasts = {}, {}
        for token in range(1, len(offsets) - 1):  # neither [CLS] nor [SEP]
            firsts.setdefault(offsets[token][0], token)
            lasts[offsets[token][1]] = token
        return {(self.labels.index(label), firsts[start], lasts[end]) for start, end, label in entities
                if label in self.labels and firsts.get(start, math.inf) <= lasts.get(end, -1)}

    def features(self, directory, encoder, folder):
        """The encoder's output [tokens, D], window after window, and the seconds it took; 0 if it was kept."""
        start = time.perf_counter()
        if folder:
            content = hashlib.sha256((Path(directory) / "model.safetensors").read_bytes())
            content.update(json.dumps(self.ids).encode())
            path = Path(folder) / f"{content.hexdigest()[:24]}.npy"
            if path.exists():
                self.hidden = torch.from_numpy(numpy.load(path))
                return 0.0
        self.hidden = torch.empty(int(self.lengths.sum()), encoder.config.hidden_size)
        order = self.lengths.argsort(descending=True).tolist()
        while order:
            rows = order[: max(1, 4096 // len(self.ids[order[0]]))]
            order = order[len(rows):]
            ids = torch.zeros(len(rows), len(self.ids[rows[0]]), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, window in enumerate(rows):
                ids[row, : len(self.ids[window])] = torch.tensor(self.ids[window])
                mask[row, : len(self.ids[window])] = 1
            output = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            for row, window in enumerate(rows):
                first, length = int(self.starts[window]), len(self.ids[window])
                self.hidden[first : first + length] = output[row, :length]
        seconds = time.perf_counter() - start
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            numpy.save(path, self.hidden.numpy())
        return seconds

    def batch(self, windows):
        """Rows of the features, where they go in a padded batch [B, n], and the cells that do not count."""
        windows = torch.tensor(windows)
        lengths = self.lengths[windows]
        place = torch.arange(int(lengths.max()))
        real = place < lengths[:, None]
        rows = (self.starts[windows][:, None] + place)[real]
        padded = (real.flatten().cumsum(0) - 1).clamp(min=0).view(real.shape)  # padding repeats a row
        inner = (place >= 1) & (place < lengths[:, None] - 1)
        return self.hidden[rows], padded, ~(inner[:, :, None] & inner[:, None]).triu()[:, None]


class HeadModel:
    """A head in normal form: queries before keys, the biases of all starts before those of all ends."""

    def __init__(self, arguments, types, inputs, longest):
        self.head, self.types, self.size = arguments.head, types, arguments.head_size
        outputs = 2 * self.size * (types if self.head == "globalpointer" else 1)
        shapes = [(outputs, inputs)] + ([(2 * types, 2 * self.size)] if self.head == "efficient" else [])
        draws = splitmix(key(arguments.seed, PARAMETERS), 0, sum(rows * (columns + 1) for rows, columns in shapes))
        uniform = (draws >> numpy.uint64(40)).astype(numpy.float32) * numpy.float32(2**-24)
        self.weights, self.biases = [], []
        for rows, columns in shapes:
            values = (2 * uniform[: rows * (columns + 1)] - 1) * numpy.float32(1 / math.sqrt(columns))
            uniform = uniform[len(values):]
            weight, bias = torch.from_numpy(values).split([rows * columns, rows])
            self.weights.append(weight.reshape(rows, columns).clone().requires_grad_())
            self.biases.append(bias.clone().requires_grad_())
        self.tables = rotation_tables(longest, self.size)

    @property
    def parameters(self):
        return self.weights + self.biases

    def inputs(self, hidden, padded):
        """What `raw_scores` takes, for a padded batch [B, n]."""
        u = linear(hidden, self.weights[0], self.biases[0])
        tables = [table[: padded.shape[1]] for table in self.tables]
        if self.head == "globalpointer":
            queries, keys = u[padded].view(*padded.shape, self.types, 2, self.size).unbind(-2)
            return queries, keys, None, *tables
        bias = linear(u, self.weights[1], self.biases[1])[padded].view(*padded.shape, 2, self.types)
        queries, keys = u[padded].chunk(2, dim=-1)
        return queries, keys, bias.permute(0, 3, 2, 1).flatten(1, 2), *tables

    @torch.inference_mode()
    def f1(self, part):
        """Precision, recall and F1 over a part."""
        predicted, correct = 0, 0
        order = part.lengths.argsort(descending=True).tolist()
        while order:
            windows = order[: max(1, 4096 // int(part.lengths[order[0]]))]
            order = order[len(windows):]
            hidden, padded, left_out = part.batch(windows)
            scores = raw_scores(self.inputs(hidden, padded), self.head, scale_queries=True)
            for row, kind, first, last in (scores.masked_fill_(left_out, -torch.inf) > 0).nonzero().tolist():
                offsets = part.offsets[windows[row]]
                predicted += 1
                correct += (offsets[first][0], offsets[last][1], part.labels[kind]) in part.gold[windows[row]]
        gold = sum(map(len, part.gold))
        return {"precision": correct / max(1, predicted), "recall": correct / max(1, gold),
                "f1": 2 * correct / max(1, predicted + gold)}


def learning_rate(arguments, number, steps):
    """Of step `number`, from 1."""
    warm_up = min(steps, math.ceil(arguments.warm_up * steps))
    if number <= warm_up:
        return arguments.learning_rate * number / warm_up
    return arguments.learning_rate * (steps - number + 1) / (steps - warm_up + 1)


def train_epoch(arguments, epoch, part, windows, model, optimizer):
    """One pass over the windows; their mean loss, each before its step."""
    order = [windows[place] for place in order_of(len(windows), arguments.seed, epoch)]
    batches = [order[start : start + arguments.batch] for start in range(0, len(order), arguments.batch)]
    total = 0.0
    for step, batch in enumerate(batches, epoch * len(batches) + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(arguments, step, arguments.epochs * len(batches))
        hidden, padded, left_out = part.batch(batch)
        counts = torch.tensor([len(part.cells[window]) for window in batch])
        sequence = torch.arange(len(batch)).repeat_interleave(counts)
        cells = torch.cat([sequence[:, None], torch.cat([part.cells[window] for window in batch])], dim=1)
        loss = lean_loss(model.inputs(hidden, padded), cells, left_out, arguments.head, arguments.loss)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters, arguments.clip)
        optimizer.step()
        if not math.isfinite(loss.item()):
            raise SystemExit(f"the loss is {loss.item()} at step {step}")
        total += loss.item() * len(batch)
    return total / len(order)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--encoder", required=True, help="a model directory, whose head is not read")
    parser.add_argument("--data", required=True, help="what is learned from, JSON lines")
    parser.add_argument("--dev", required=True, help="what F1 is measured on after each epoch")
    parser.add_argument("--test", help="what F1 is measured on at the end")
    parser.add_argument("--head", choices=["globalpointer", "efficient"], default="efficient")
    parser.add_argument("--loss", choices=["zlpr", "bce"], default="zlpr")
    parser.add_argument("--head-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=16, help="windows a step")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--warm-up", type=float, default=0.1, help="part of all steps")
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--clip", type=float, default=1.0, help="largest norm of a gradient")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--features", metavar="FOLDER", help="keeps features, and takes those it has")
    return parser.parse_args()


def main():
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    encoder, _ = load_encoder(arguments.encoder)
    tokenizer = Tokenizer.from_file(str(Path(arguments.encoder) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    longest = encoder.config.max_position_embeddings
    parts = {"train": Part(arguments.data, tokenizer, None, longest)}
    labels = parts["train"].labels
    for name, path in (("dev", arguments.dev), ("test", arguments.test)):
        if path:
            parts[name] = Part(path, tokenizer, labels, longest)
    with torch.no_grad():
        seconds = {name: part.features(arguments.encoder, encoder, arguments.features)
                   for name, part in parts.items()}
    train = parts["train"]
    windows = [window for window, ids in enumerate(train.ids) if len(ids) > 2]
    model = HeadModel(arguments, len(labels), encoder.config.hidden_size, longest)
    optimizer = torch.optim.AdamW(
        [{"params": model.weights, "weight_decay": arguments.weight_decay},
         {"params": model.biases, "weight_decay": 0.0}], lr=arguments.learning_rate, fused=True)
    history, best, kept = [], None, None
    for epoch in range(arguments.epochs):
        start = time.perf_counter()
        loss = train_epoch(arguments, epoch, train, windows, model, optimizer)
        middle = time.perf_counter()
        found = model.f1(parts["dev"])
        end = time.perf_counter()
        history.append({"epoch": epoch + 1, "loss": loss} | found | {
            "seconds": middle - start, "dev_seconds": end - middle})
        print(json.dumps(history[-1]), file=sys.stderr, flush=True)
        if best is None or found["f1"] > best["f1"]:
            best = history[-1]
            kept = [parameter.detach().clone() for parameter in model.parameters]
    with torch.no_grad():
        for parameter, value in zip(model.parameters, kept):
            parameter.copy_(value)
    each_seconds = [each["seconds"] + each["dev_seconds"] for each in history]
    print(json.dumps({
        name: getattr(arguments, name)
        for name in ("head", "loss", "head_size", "epochs", "batch", "learning_rate", "seed")} | {
        "parameters": sum(parameter.numel() for parameter in model.parameters),
        "windows": len(windows),
        "labels_left_out": train.left_out,
        "best_epoch": best["epoch"],
        "dev": {name: best[name] for name in ("precision", "recall", "f1")},
        "f1": [each["f1"] for each in history],
        "test": model.f1(parts["test"]) if "test" in parts else None,
        "epoch_seconds": statistics.median(each_seconds),
        "total_seconds": sum(each_seconds),
        "feature_seconds": seconds,
        "total_seconds_with_features": sum(each_seconds) + seconds["train"] + seconds["dev"],
        "torch": torch.__version__, "threads": torch.get_num_threads(),
    }))


if __name__ == "__main__":
    main()
