"""Times the forward pass of a BERT encoder: PyTorch, through Hugging Face transformers.

Timed: token ids in memory, to the last hidden state; float32, inference mode, the library's
default attention (`scaled_dot_product_attention`), no pooler. The rows are full length, so that
no padding is computed and none skipped. Without `--model` the weights are random: the time of a
dense encoder does not depend on their values. On a GPU token ids come from the host and the hidden
state is brought there, as Weft's does.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertModel

from measure import common_arguments, device_arguments, device_report, element_type, measure, multiplying, report

SHAPES = {
    "minilm": dict(hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
                   intermediate_size=1536),
    "bert-base": dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
                      intermediate_size=3072),
}


def load_encoder(directory, prefix="bert."):
    """The encoder of a model directory, its weights widened to float32, and the other tensors."""
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


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=5)
    parser.add_argument("--shape", choices=SHAPES, default="minilm")
    parser.add_argument("--model", metavar="DIR", help="a model directory instead of --shape")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    device_arguments(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    if arguments.model:
        encoder, _ = load_encoder(arguments.model)
    else:
        encoder = BertModel(BertConfig(**SHAPES[arguments.shape]), add_pooling_layer=False).eval()
    ids = torch.randint(encoder.config.vocab_size, (arguments.batch, arguments.length))
    mask = torch.ones_like(ids)

    for precision in arguments.precision:
        measure_at(precision, encoder, ids, mask, arguments)


def measure_at(precision, encoder, ids, mask, arguments):
    device = arguments.device
    with multiplying(device, precision):
        encoder = encoder.to(device, element_type(precision))

        def encode():
            hidden = encoder(input_ids=ids.to(device), attention_mask=mask.to(device)).last_hidden_state
            return hidden.cpu()

        _, timing = measure(encode, arguments.warmup, arguments.repetitions, device)

    report({
        "model": arguments.model or arguments.shape,
        "layers": encoder.config.num_hidden_layers,
        "hidden_size": encoder.config.hidden_size,
        "attention": encoder.config._attn_implementation,
        "batch": arguments.batch,
        "length": arguments.length,
    } | timing | {"tokens_per_second": ids.numel() / timing["median_seconds"]}
        | device_report(device, precision), arguments.json)


if __name__ == "__main__":
    main()
