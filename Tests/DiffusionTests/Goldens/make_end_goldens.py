"""Follows Hugging Face diffusers' solvers with few steps, whose first and last steps are special, to ends.jsonl.

Run:      .venv/bin/python Tests/DiffusionTests/Goldens/make_end_goldens.py
Versions: those of make_diffusers_goldens.py, whose environment, start, denoiser and noise it uses. No weights, no network.

A line holds a scheduler and what its config has besides the defaults, and for each number of steps four elements of the
sample after the last call of step(), with float64 in place of float32: null if diffusers' numbers are not finite there,
then with those of the call `before`; and `error` where it raises.
"""

import itertools
import json
import pathlib
import warnings

import diffusers
import numpy
import torch

import make_diffusers_goldens as runs

STEPS = (1, 2, 3, 10, 16)
SIGMAS = ({}, runs.KARRAS, runs.EXPONENTIAL)
FINALS = ({}, {"final_sigmas_type": "sigma_min"})


def configurations():
    unipc = "UniPCMultistepScheduler"
    for variant, order, sigmas, final in itertools.product(("bh1", "bh2"), (1, 2, 3), SIGMAS, FINALS):
        yield unipc, {"solver_type": variant, "solver_order": order} | sigmas | final
    for order, sigmas, final in itertools.product((2, 3), SIGMAS, FINALS):
        yield unipc, {"solver_order": order, "lower_order_final": False} | sigmas | final
    for first in ([0], [8], [1, 2]):
        yield unipc, {"disable_corrector": first} | runs.KARRAS | FINALS[1]
    yield unipc, runs.V | runs.KARRAS | FINALS[1]
    yield unipc, runs.KARRAS | FINALS[1] | {"sigma_min": 0.05, "sigma_max": 20.0}
    dpm = "DPMSolverMultistepScheduler"
    for order, sigmas, final in itertools.product((1, 2, 3), SIGMAS, FINALS):
        yield dpm, {"solver_order": order} | sigmas | final
    for order, sigmas in itertools.product((2, 3), SIGMAS):
        yield dpm, {"solver_order": order, "lower_order_final": False} | sigmas | FINALS[1]
        yield dpm, {"solver_order": order, "euler_at_final": True} | sigmas | FINALS[1]
    for order, sigmas, final in itertools.product((1, 2), SIGMAS, FINALS):
        yield dpm, {"algorithm_type": "sde-dpmsolver++", "solver_order": order} | sigmas | final
    for sigmas, final in itertools.product(SIGMAS, FINALS):
        yield dpm, {"solver_type": "heun"} | sigmas | final
        yield "DPMSolverSinglestepScheduler", sigmas | final
        yield "DPMSolverSinglestepScheduler", {"lower_order_final": True} | sigmas | final
        yield "EulerDiscreteScheduler", sigmas | final
    for sigmas in SIGMAS:
        yield "LMSDiscreteScheduler", sigmas
        yield "HeunDiscreteScheduler", sigmas
        yield "KDPM2DiscreteScheduler", sigmas
    for extra in ({}, {"skip_prk_steps": True}, {"skip_prk_steps": True, "set_alpha_to_one": True}):
        for offset in (0, 1):
            yield "PNDMScheduler", extra | {"steps_offset": offset}
    yield "LCMScheduler", {}


def end(name, config, steps):
    try:
        _, samples = runs.follow(name, config, steps, {}, 1.0, torch.float64)
    except Exception as error:
        return {"error": type(error).__name__}
    last, before = samples[-1][:4], samples[-2:-1, :4]
    if numpy.isfinite(last).all():
        return {"sample": runs.rounded(last)}
    return {"sample": None} | ({"before": runs.rounded(before[0])} if numpy.isfinite(before).all() and len(before) else {})


def main():
    warnings.simplefilter("ignore")
    diffusers.utils.logging.set_verbosity_error()
    lines = [{"diffusers": diffusers.__version__, "torch": torch.__version__, "elements": runs.ELEMENTS[:4]}]
    for name, config in configurations():
        ends = [{"steps": steps} | end(name, config, steps) for steps in STEPS]
        lines.append({"scheduler": name, "config": config, "runs": ends})
    path = pathlib.Path(__file__).with_name("ends.jsonl")
    path.write_text("".join(json.dumps(entry, separators=(",", ":"), allow_nan=False) + "\n" for entry in lines))
    print(f"{len(lines) - 1} configurations, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
