"""Times entity extraction from text to entities: tokenizers, transformers and PyTorch.

Timed: texts in memory, to entities in memory: tokenise, sort by length, batch under a budget of
padded tokens, encode, score, decode, restore the order. Not timed: loading the model, reading
and writing files. Sorting by length and a token budget are what a careful user would write; the
tokenizer is the fast one and uses its own threads. Texts beyond the model's length are cut, and
counted in the report.

The script is also an oracle: it reads the head's bert4keras dialect as it was trained, without
Weft's normal form, and `--check` compares its entities with stored scores.
"""

import json
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer

from encoder import load_encoder
from measure import common_arguments, measure, report
from pairs import rotate, rotation_tables


class Extractor:
    def __init__(self, directory, token_budget, threshold):
        description = json.loads((Path(directory) / "globalpointer.json").read_text())
        head = description["head"]
        if (head["kind"], head["dialect"]) != ("efficient", "bert4keras"):
            raise SystemExit(f"{directory}: only efficient heads of the bert4keras dialect")
        self.labels, self.head = description["labels"], head
        self.encoder, tensors = load_encoder(directory, description["encoder_prefix"])
        self.dense = {layer: (tensors[name + ".weight"], tensors[name + ".bias"])
                      for layer, name in head["tensors"].items()}
        self.length = self.encoder.config.max_position_embeddings
        self.tables = rotation_tables(self.length, head["head_size"])
        self.tokenizer = Tokenizer.from_file(str(Path(directory) / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.length)
        self.token_budget, self.threshold = token_budget, threshold

    def batches(self, encodings):
        """Indices of `encodings`, longest first, cut so that rows x longest stays in budget."""
        order = sorted(range(len(encodings)), key=lambda i: -len(encodings[i].ids))
        while order:
            rows = max(1, self.token_budget // len(encodings[order[0]].ids))
            yield order[:rows]
            order = order[rows:]

    def scores(self, ids, mask, scorable):
        """Scores [B, H, n, n] of the tokens `scorable`; every other cell is -infinity."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        u = torch.nn.functional.linear(hidden, *self.dense["p_dense"])
        bias = torch.nn.functional.linear(u, *self.dense["q_dense"]).transpose(1, 2) / 2
        queries, keys = u[..., ::2], u[..., 1::2]
        if self.head["rope"]:
            cosine, sine = (table[: ids.shape[1]] for table in self.tables)
            queries, keys = rotate(queries, cosine, sine), rotate(keys, cosine, sine)
        products = queries @ keys.transpose(1, 2) * self.head["head_size"] ** -0.5
        end, start = bias[:, ::2, None, :], bias[:, 1::2, :, None]
        keep = scorable[:, :, None] & scorable[:, None, :]
        keep = keep.triu() if self.head["triangular"] else keep
        return (products[:, None] + start + end).masked_fill_(~keep[:, None], -torch.inf)

    def entities(self, encodings):
        """The entities of one batch, a list for each row."""
        shape = len(encodings), max(len(encoding.ids) for encoding in encodings)
        ids, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
        scorable = torch.zeros(shape, dtype=torch.bool)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
            mask[row, : len(encoding.ids)] = 1
            scorable[row, 1 : len(encoding.ids) - 1] = True  # neither [CLS] nor this row's [SEP]
        scores = self.scores(ids, mask, scorable)
        cells = (scores > self.threshold).nonzero()
        found = [[] for _ in encodings]
        for (row, label, first, last), score in zip(cells.tolist(), scores[tuple(cells.T)].tolist()):
            offsets = encodings[row].offsets
            found[row].append({"start": offsets[first][0], "end": offsets[last][1],
                               "label": self.labels[label], "score": round(score, 5)})
        return [sorted(row, key=lambda e: (e["start"], e["end"], e["label"])) for row in found]

    def __call__(self, texts):
        encodings = self.tokenizer.encode_batch(texts)
        results = [None] * len(texts)
        for batch in self.batches(encodings):
            for index, found in zip(batch, self.entities([encodings[i] for i in batch])):
                results[index] = found
        self.texts_cut = sum(bool(encoding.overflowing) for encoding in encodings)
        return results


def compare(documents, results, path, threshold):
    """How the results differ from stored entities above the same threshold."""
    def spans(entities):
        return {(e["start"], e["end"], e["label"]): e["score"]
                for e in entities if e["score"] > threshold}

    stored = {row["id"]: spans(row["entities"]) for row in map(json.loads, open(path))}
    pairs = [(spans(found), stored[document["id"]]) for document, found in zip(documents, results)]
    return {
        "agreeing": sum(len(ours.keys() & theirs.keys()) for ours, theirs in pairs),
        "missing": sum(len(theirs.keys() - ours.keys()) for ours, theirs in pairs),
        "surplus": sum(len(ours.keys() - theirs.keys()) for ours, theirs in pairs),
        "largest_difference": max((abs(ours[key] - theirs[key]) for ours, theirs in pairs
                                   for key in ours.keys() & theirs.keys()), default=0.0),
    }


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=3)
    parser.add_argument("model", help="a model directory with globalpointer.json")
    parser.add_argument("input", help='JSON lines with "text" and, for --check, "id"')
    parser.add_argument("--output", help="write the entities as JSON lines")
    parser.add_argument("--check", help="stored entities and scores to compare with")
    parser.add_argument("--threshold", type=float, default=0.0)
    parser.add_argument("--token-budget", type=int, default=4096, help="padded tokens a batch")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    start = time.perf_counter()
    extractor = Extractor(arguments.model, arguments.token_budget, arguments.threshold)
    load_seconds = time.perf_counter() - start
    documents = [json.loads(line) for line in open(arguments.input)]
    texts = [document["text"] for document in documents]
    with torch.inference_mode():
        results, timing = measure(
            lambda: extractor(texts), arguments.warmup, arguments.repetitions)

    if arguments.output:
        with open(arguments.output, "w") as output:
            for document, found in zip(documents, results):
                output.write(json.dumps({"id": document.get("id"), "entities": found}) + "\n")
    checked = (compare(documents, results, arguments.check, arguments.threshold)
               if arguments.check else {})
    report({
        "documents": len(documents),
        "entities": sum(map(len, results)),
        "texts_cut": extractor.texts_cut,
        "load_seconds": load_seconds,
    } | timing | {"documents_per_second": len(documents) / timing["median_seconds"]} | checked,
        arguments.json)


if __name__ == "__main__":
    main()
