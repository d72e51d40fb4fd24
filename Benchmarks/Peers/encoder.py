"""Times the forward pass of a BERT encoder in PyTorch.

Two forms do the same work. `transformers` is Hugging Face's; `lean` is the same encoder by
someone who counts kernels: one product for queries, keys and values, no mask, no dropout. It
needs PyTorch alone.

`--runtime` runs either through torch.compile, ONNX Runtime or OpenVINO: see runtimes.py.

Timed: token ids in memory, to the last hidden state; float32, inference mode, the library's
default attention (`scaled_dot_product_attention`), no pooler. The rows are full length, so that
no padding is computed and none skipped. Without `--model` the weights are random: the time of a
dense encoder does not depend on their values. On a GPU token ids come from the host and the hidden
state is brought there, as Weft's does.
"""

import json
from pathlib import Path

import torch
from torch.nn import Embedding, LayerNorm, Linear, Module, ModuleList
from torch.nn.functional import gelu, scaled_dot_product_attention

from measure import common_arguments, device_arguments, device_report, element_type, measure, multiplying, report
from runtimes import make_runtime, runtime_argument

SHAPES = {
    "minilm": dict(hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
                   intermediate_size=1536),
    "bert-base": dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
                      intermediate_size=3072),
}


def load_encoder(directory, prefix="bert."):
    """The encoder of a model directory, its weights widened to float32, and the other tensors."""
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel
    directory = Path(directory)
    tensors = {name: tensor.float()
               for name, tensor in load_file(directory / "model.safetensors").items()}
    weights = {name.removeprefix(prefix): tensors.pop(name)
               for name in list(tensors) if name.startswith(prefix)}
    config = BertConfig(**json.loads((directory / "config.json").read_text()))
    encoder = BertModel(config, add_pooling_layer=False).float()
    faults = encoder.load_state_dict(weights, strict=False)
    missing = [name for name in faults.missing_keys if "position_ids" not in name]
    surplus = [name for name in faults.unexpected_keys if not name.startswith("pooler.")]
    if missing or surplus:
        raise SystemExit(f"{directory}: missing {missing}, unexpected {surplus}")
    return encoder.eval(), tensors


class LeanLayer(Module):
    def __init__(self, width, heads, intermediate):
        super().__init__()
        self.heads = heads
        self.projection, self.output = Linear(width, 3 * width), Linear(width, width)
        self.up, self.down = Linear(width, intermediate), Linear(intermediate, width)
        self.norms = ModuleList([LayerNorm(width, eps=1e-12), LayerNorm(width, eps=1e-12)])

    def forward(self, hidden):
        batch, length, width = hidden.shape
        parts = self.projection(hidden).view(batch, length, 3, self.heads, width // self.heads)
        attended = scaled_dot_product_attention(*parts.permute(2, 0, 3, 1, 4))
        hidden = self.norms[0](hidden + self.output(attended.transpose(1, 2).reshape(batch, length, width)))
        return self.norms[1](hidden + self.down(gelu(self.up(hidden))))


class LeanEncoder(Module):
    def __init__(self, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, vocabulary=30_522):
        super().__init__()
        self.vocabulary = vocabulary
        self.words, self.positions = Embedding(vocabulary, hidden_size), Embedding(512, hidden_size)
        self.types = Embedding(2, hidden_size)
        self.norm = LayerNorm(hidden_size, eps=1e-12)
        self.layers = ModuleList(
            LeanLayer(hidden_size, num_attention_heads, intermediate_size) for _ in range(num_hidden_layers))

    def forward(self, ids):
        hidden = self.norm(self.words(ids) + self.positions.weight[:ids.shape[1]] + self.types.weight[0])
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class TransformersEncoder(Module):
    """transformers' encoder as a module of ids and mask whose answer is one tensor."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, ids, mask):
        return self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state


def make_encoder(arguments):
    """A module of ids and mask, or of ids alone, the inputs, and what a report says of it."""
    if arguments.form == "lean":
        encoder, shape = LeanEncoder(**SHAPES[arguments.shape]).eval(), SHAPES[arguments.shape]
        return encoder, (make_ids(encoder.vocabulary, arguments),), {
            "form": "lean", "layers": shape["num_hidden_layers"],
            "hidden_size": shape["hidden_size"], "attention": "sdpa"}
    if arguments.model:
        encoder, _ = load_encoder(arguments.model)
    else:
        from transformers import BertConfig, BertModel
        encoder = BertModel(BertConfig(**SHAPES[arguments.shape]), add_pooling_layer=False).eval()
    config = encoder.config
    ids = make_ids(config.vocab_size, arguments)
    return TransformersEncoder(encoder).eval(), (ids, torch.ones_like(ids)), {
        "layers": config.num_hidden_layers, "hidden_size": config.hidden_size,
        "attention": config._attn_implementation}


def make_ids(vocabulary, arguments):
    return torch.randint(vocabulary, (arguments.batch, arguments.length))


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=5)
    parser.add_argument("--shape", choices=SHAPES, default="minilm")
    parser.add_argument("--form", choices=("transformers", "lean"), default="transformers")
    parser.add_argument("--model", metavar="DIR", help="a model directory instead of --shape, through transformers")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    device_arguments(parser)
    runtime_argument(parser)
    arguments = parser.parse_args()
    if arguments.model and arguments.form == "lean":
        parser.error("--model goes with --form transformers")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    module, inputs, description = make_encoder(arguments)
    encode, of_runtime = make_runtime(parser, arguments, module, inputs)
    device = arguments.device
    for precision in arguments.precision:
        with multiplying(device, precision):
            module.to(device, element_type(precision))
            _, timing = measure(
                lambda: encode(*(tensor.to(device) for tensor in inputs)).cpu(),
                arguments.warmup, arguments.repetitions, device)
        show(description | of_runtime, precision, timing, arguments)


def show(description, precision, timing, arguments):
    report({
        "model": arguments.model or arguments.shape,
        "batch": arguments.batch,
        "length": arguments.length,
    } | timing | description | {"tokens_per_second": arguments.batch * arguments.length / timing["median_seconds"]}
        | device_report(arguments.device, precision), arguments.json)


if __name__ == "__main__":
    main()
