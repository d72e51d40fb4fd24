"""Runs small diffusers U-Nets with made-up weights and writes what they answer to unets.json and unets.safetensors.

Run:      python -m venv .venv && .venv/bin/pip install torch==2.13.0 diffusers==0.42.1
          .venv/bin/python Tests/DiffusionTests/Goldens/unet/make_unet_goldens.py
Versions: torch 2.13.0 (CPU), diffusers 0.42.1, Python 3.11. No network, no foreign weights: all are made up here.

Weights are not stored, because they are exact functions of their names. Element i of the tensor `name` is made of the
64 bits b = splitmix64(fnv1a(name) + i * 0x9E3779B97F4A7C15), with `unit` = (2 (b >> 53) - 2047) / 2048, which lies
between -1 and 1:

- matrices and convolutions of n inputs: unit * 2^k, k = round(log2(sqrt(3 / n))), as large as keeps a sum's variance;
- gains of normalisations: 1 + (b >> 60) / 64 - 1/8;
- all others, which are biases: unit / 8.

Float16 holds every one of them exactly. Noise is stored, since its values are any.

unets.json holds for each network its name, its configuration (what differs from the class's defaults), the shapes of
its tensors, the scheduler of the run, and the timesteps; unets.safetensors the noise and the answers: `NAME.noise`,
`NAME.forward.K` of timestep K, and `NAME.ddim`, where five steps of DDIM with eta 0 lead from the noise.

A second folder, sharded/, is what save_pretrained writes of the first network in float16, in several files.
"""

import json
import math
import pathlib
import warnings

import diffusers
import numpy
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
STEPS = 5
BATCH = 2

PLAIN = {
    "sample_size": 8, "in_channels": 1, "out_channels": 1, "block_out_channels": [8, 16], "layers_per_block": 1,
    "norm_num_groups": 4, "down_block_types": ["DownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "UpBlock2D"], "attention_head_dim": None,
}
# Without training the epsilon of a deep network is amplified from step to step: PyTorch's rounding of the sinusoids'
# frequencies alone moves the last network's samples by 1.2e-4. With v it does not.
V = {"scheduler": {"prediction_type": "v_prediction", "clip_sample": False}}
SAMPLE = {"scheduler": {"prediction_type": "sample", "beta_schedule": "squaredcos_cap_v2"}}

CASES = [
    ("plain", PLAIN, {}),
    ("attention in every block", {
        **PLAIN, "in_channels": 3, "out_channels": 3, "block_out_channels": [8, 16], "layers_per_block": 2,
        "down_block_types": ["AttnDownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D"], "attention_head_dim": 4}, {}),
    ("scale and shift", {
        **PLAIN, "resnet_time_scale_shift": "scale_shift", "attention_head_dim": 8,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]}, V),
    ("old ddpm", {
        **PLAIN, "in_channels": 3, "out_channels": 3, "downsample_padding": 0, "flip_sin_to_cos": False,
        "freq_shift": 1, "norm_eps": 1e-6, "layers_per_block": 2,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]},
     {"dialect": "old"}),
    ("no attention", {**PLAIN, "add_attention": False, "layers_per_block": 3, "norm_num_groups": 2}, SAMPLE),
    ("one level", {
        **PLAIN, "block_out_channels": [12], "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"],
        "norm_num_groups": 3, "norm_eps": 0.01}, {}),
    ("odd channels", {
        **PLAIN, "in_channels": 5, "out_channels": 2, "block_out_channels": [9, 15, 21], "norm_num_groups": 3,
        "down_block_types": ["DownBlock2D", "DownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D", "UpBlock2D"], "freq_shift": 1}, {}),
    ("equal channels", {
        **PLAIN, "block_out_channels": [8, 8, 16], "attn_norm_num_groups": 2, "attention_head_dim": 8,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"], "downsample_padding": 0}, V),
    ("heads that leave channels over", {
        **PLAIN, "block_out_channels": [12, 20], "attention_head_dim": 8, "in_channels": 2, "out_channels": 2,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]},
     {}),
    ("scaled middle", {
        **PLAIN, "mid_block_scale_factor": 1.4142135623730951, "attention_head_dim": 16, "norm_num_groups": 1}, SAMPLE),
    ("no middle", {
        **PLAIN, "mid_block_type": None, "time_embedding_dim": 20, "in_channels": 3, "out_channels": 6}, {}),
    ("scale and shift, normalised attention", {
        **PLAIN, "resnet_time_scale_shift": "scale_shift", "attn_norm_num_groups": 4, "attention_head_dim": 4,
        "flip_sin_to_cos": False, "dropout": 0.1}, {}),
    ("wide", {
        **PLAIN, "sample_size": [8, 16], "block_out_channels": [8, 16, 16], "attention_head_dim": 2,
        "down_block_types": ["AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D"], "norm_num_groups": 8}, V),
    ("small cifar", {
        **PLAIN, "sample_size": 16, "in_channels": 3, "out_channels": 3, "block_out_channels": [16, 32, 32, 32],
        "layers_per_block": 2, "norm_num_groups": 8, "downsample_padding": 0, "flip_sin_to_cos": False,
        "freq_shift": 1, "norm_eps": 1e-6,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"]}, V),
]


def bits(name, count):
    """splitmix64's output function at count states from the name's hash on."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(state) + numpy.arange(count, dtype=numpy.uint64) * numpy.uint64(GOLDEN)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return z ^ (z >> numpy.uint64(31))


def weight(name, shape):
    values = bits(name, math.prod(shape))
    unit = (2 * (values >> numpy.uint64(53)).astype(numpy.float64) - 2047) / 2048
    if len(shape) > 1:
        inputs = math.prod(shape[1:])
        result = unit * 2.0 ** round(math.log2(math.sqrt(3 / inputs)))
    elif "norm" in name and name.endswith("weight"):
        result = 1 + (values >> numpy.uint64(60)).astype(numpy.float64) / 64 - 1 / 8
    else:
        result = unit / 8
    assert numpy.array_equal(result.astype(numpy.float16).astype(numpy.float64), result)
    return torch.from_numpy(result.astype(numpy.float32).reshape(shape))


OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def old_name(name):
    for new, old in OLD.items():
        name = name.replace(f".{new}.", f".{old}.")
    return name


def build(config):
    torch.manual_seed(0)
    model = diffusers.UNet2DModel(**config).eval()
    shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    model.load_state_dict({name: weight(name, shape) for name, shape in shapes.items()})
    return model, shapes


def reads_old_names(model, config):
    """Whether diffusers takes the old names of attention for the same network."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        state = {old_name(name): tensor.contiguous() for name, tensor in model.state_dict().items()}
        save_file(state, f"{folder}/diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
        other = diffusers.UNet2DModel.from_pretrained(folder, low_cpu_mem_usage=False)
    return all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values()))


@torch.no_grad()
def run(name, config, extra, tensors):
    model, shapes = build(config)
    size = config["sample_size"]
    height, width = size if isinstance(size, list) else (size, size)
    generator = torch.Generator().manual_seed(sum(name.encode()))
    noise = torch.randn((BATCH, config["in_channels"], height, width), generator=generator)
    tensors[f"{name}.noise"] = noise
    timesteps = [0, 37, 999]
    for timestep in timesteps:
        tensors[f"{name}.forward.{timestep}"] = model(noise, timestep).sample
    record = {"name": name, "config": config, "shapes": shapes, "timesteps": timesteps}
    if extra.get("dialect") == "old":
        assert reads_old_names(model, config)
        record["oldNames"] = True
    if config["in_channels"] == config["out_channels"]:
        scheduler = diffusers.DDIMScheduler(**extra.get("scheduler", {}))
        scheduler.set_timesteps(STEPS)
        sample = noise
        for timestep in scheduler.timesteps:
            sample = scheduler.step(model(sample, timestep).sample, timestep, sample, eta=0.0).prev_sample
        tensors[f"{name}.ddim"] = sample
        record["scheduler"] = extra.get("scheduler", {})
        record["steps"] = STEPS
    for key, tensor in tensors.items():
        assert torch.isfinite(tensor).all(), key
    return record, model


def main():
    warnings.filterwarnings("ignore")
    diffusers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    tensors, records = {}, []
    for name, config, extra in CASES:
        record, model = run(name, config, extra, tensors)
        records.append(record)
        spread = tensors[f"{name}.forward.37"].std()
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, deviation {spread:.3f}")
        if name == "plain":
            model.half().save_pretrained(HERE / "sharded", max_shard_size="20KB")
    metadata = {"torch": torch.__version__, "diffusers": diffusers.__version__}
    lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    (HERE / "unets.json").write_text(f'{{"metadata":{json.dumps(metadata)},"networks":[\n{lines}\n]}}\n')
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, HERE / "unets.safetensors", metadata)


if __name__ == "__main__":
    main()
