"""Follows diffusers' ScoreSdeVeScheduler with a toy score and writes what it does to score_sde.json.

Run:      python -m venv .venv && .venv/bin/pip install torch==2.13.0 diffusers==0.42.1
          .venv/bin/python Tests/DiffusionTests/Goldens/unet/make_score_golden.py
Versions: torch 2.13.0 (CPU), diffusers 0.42.1, Python 3.11. No weights, no network.

One sample of 24 elements, since diffusers takes norms over a whole batch: sigma_max * cos(0.3 f) at first, the score
-x / (1 + sigma^2) for the sigma that the network is told, and sqrt(2) cos(0.9 + 2.3 k + 0.7 f) in place of the k-th
noise, counted over corrector and predictor steps alike. `samples` holds the sample after every predictor step, the last
one without its noise, as the pipeline returns it; everything in double precision.
"""

import json
import math
import pathlib

import diffusers
import torch
from diffusers.schedulers import scheduling_sde_ve

HERE = pathlib.Path(__file__).resolve().parent
COUNT = 24
RUNS = [
    ("defaults", {}, 8),
    ("small", {"sigma_min": 0.02, "sigma_max": 50.0, "snr": 0.2, "correct_steps": 2, "sampling_eps": 1e-3}, 12),
    ("no corrector", {"sigma_max": 90.0, "correct_steps": 0}, 10),
]


def run(name, config, steps):
    calls = iter(range(1_000_000))

    def noise(shape, **_):
        k = next(calls)
        return torch.tensor(
            [math.sqrt(2) * math.cos(0.9 + 2.3 * k + 0.7 * f) for f in range(COUNT)], dtype=torch.float64).reshape(shape)

    scheduling_sde_ve.randn_tensor = noise
    scheduler = diffusers.ScoreSdeVeScheduler(**config)
    scheduler.set_timesteps(steps)
    scheduler.set_sigmas(steps)
    x = scheduler.init_noise_sigma * torch.tensor(
        [[math.cos(0.3 * f) for f in range(COUNT)]], dtype=torch.float64).reshape(1, 1, 4, 6)
    samples = []
    for index, t in enumerate(scheduler.timesteps):
        sigma = scheduler.sigmas[index].double()

        def score(x):
            return -x / (1 + sigma * sigma)

        for _ in range(scheduler.config.correct_steps):
            x = scheduler.step_correct(score(x), x).prev_sample
        output = scheduler.step_pred(score(x), t, x)
        x, mean = output.prev_sample, output.prev_sample_mean
        samples.append((mean if index == steps - 1 else x).reshape(-1).tolist())
    return {
        "name": name, "config": config, "steps": steps, "sigmas": scheduler.sigmas.tolist(), "samples": samples}


def main():
    torch.set_default_dtype(torch.float64)
    lines = ",\n".join(json.dumps(run(*case)) for case in RUNS)
    (HERE / "score_sde.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
