"""Follows diffusers with the bundled digits network and writes what it answers to digits.safetensors.

Run:      python -m venv .venv && .venv/bin/pip install torch==2.13.0 diffusers==0.42.1
          .venv/bin/python Tests/DiffusionTests/Goldens/unet/make_digits_golden.py
Versions: torch 2.13.0 (CPU), diffusers 0.42.1, Python 3.11. No network.

Two images, from stored noise: `ddim` is the result of 20 steps of DDIM with eta 0, configured from the model's own
scheduler; `first` the network's answer at the first of its timesteps.
"""

import pathlib

import diffusers
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parents[3] / "Models" / "digits-unet"


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    network = diffusers.UNet2DModel.from_pretrained(MODEL / "unet").eval()
    scheduler = diffusers.DDIMScheduler.from_pretrained(MODEL / "scheduler")
    scheduler.set_timesteps(20)
    noise = torch.randn((2, 1, 16, 16), generator=torch.Generator().manual_seed(11))
    tensors = {"noise": noise, "first": network(noise, scheduler.timesteps[0]).sample}
    sample = noise
    for timestep in scheduler.timesteps:
        sample = scheduler.step(network(sample, timestep).sample, timestep, sample, eta=0.0).prev_sample
    tensors["ddim"] = sample
    metadata = {"torch": torch.__version__, "diffusers": diffusers.__version__}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, HERE / "digits.safetensors", metadata)


if __name__ == "__main__":
    main()
