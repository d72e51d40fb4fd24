"""Follows PyTorch's AdamW with gradient clipping for 20 steps and writes what it does to adamw.json.

Run:      python -m venv .venv && .venv/bin/pip install torch==2.13.0
          .venv/bin/python Tests/ConformanceTests/Goldens/make_adamw_golden.py
Versions: torch 2.13.0 (CPU), Python 3.11. No weights, no network.

Two tensors are trained together, as weights and bias are: their gradients are clipped by the norm of both. Gradients
are given, not computed; they grow and shrink from step to step, so that some steps are clipped and some are not, and
the learning rate rises and falls. A run holds its settings and, for each step, the learning rate, the gradients, and
the parameters after it; then the moments after the last step. Numbers are float32, written so that they are exact.
"""

import json
import math
import pathlib

import torch

SHAPES = [(5, 4), (5,)]
STEPS = 20
RUNS = [
    {"name": "defaults", "settings": {}, "maximumNorm": 1.0},
    {"name": "strong decay", "settings": {"betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.3}, "maximumNorm": 0.5},
    {"name": "no clipping", "settings": {"betas": (0.9, 0.98)}, "maximumNorm": None},
]


def flat(tensors):
    return [tensor.detach().reshape(-1).tolist() for tensor in tensors]


def run(name, settings, maximumNorm):
    generator = torch.Generator().manual_seed(5)
    parameters = [torch.randn(shape, generator=generator).requires_grad_() for shape in SHAPES]
    optimizer = torch.optim.AdamW(parameters, lr=1.0, foreach=False, **settings)
    group = optimizer.param_groups[0]
    result = {
        "name": name, "beta1": group["betas"][0], "beta2": group["betas"][1], "epsilon": group["eps"],
        "weightDecay": group["weight_decay"], "maximumNorm": maximumNorm, "start": flat(parameters), "steps": []}
    clipped = 0
    for step in range(STEPS):
        size = 0.02 * math.exp(3 * math.sin(step))
        for parameter in parameters:
            parameter.grad = size * torch.randn(parameter.shape, generator=generator)
        gradients = flat([parameter.grad for parameter in parameters])
        rate = 0.1 * min(1, (step + 1) / 5) * (1 - step / STEPS)
        group["lr"] = rate
        if maximumNorm is not None:
            norm = torch.nn.utils.clip_grad_norm_(parameters, maximumNorm, foreach=False)
            clipped += bool(norm > maximumNorm)
        optimizer.step()
        result["steps"].append({"learningRate": rate, "gradients": gradients, "parameters": flat(parameters)})
    assert maximumNorm is None or 0 < clipped < STEPS, clipped
    states = [optimizer.state[parameter] for parameter in parameters]
    result["firstMoments"] = flat([state["exp_avg"] for state in states])
    result["secondMoments"] = flat([state["exp_avg_sq"] for state in states])
    return result


file = pathlib.Path(__file__).parent / "adamw.json"
with open(file, "w") as out:
    json.dump([run(**arguments) for arguments in RUNS], out, separators=(",", ":"))
    out.write("\n")
