"""Writes the levels that Hugging Face diffusers' schedulers visit to grids.jsonl.

Run:      .venv/bin/python Tests/DiffusionTests/Goldens/make_grid_goldens.py
Versions: those of make_diffusers_goldens.py, whose environment and modules it uses. No weights, no network.

A line holds a scheduler, what its config has besides the defaults, and for each number of steps what set_timesteps()
left: timesteps, sigmas where there are any, and init_noise_sigma. Timesteps of the kind int64 are those of the stock
scheduler; everything else comes from the scheduler with float64 in place of float32, so that it can be compared to nine
digits. Where a fraction is cut off, timesteps depend on the last digit: `timesteps_in_double` are those with float64 then.
`error` stands where diffusers raises.
"""

import importlib
import json
import pathlib
import warnings

import diffusers
import numpy
import torch

import make_diffusers_goldens as runs

STEPS = (1, 2, 3, 4, 7, 10, 50)
SPACINGS = ({}, {"timestep_spacing": "leading"}, {"timestep_spacing": "trailing"}, {"timestep_spacing": "linspace"})
LINEAR = {"beta_start": 0.0001, "beta_end": 0.02}
MODULES = runs.MODULES | {"ScoreSdeVeScheduler": "sde_ve"}


def configurations():
    offset = {"timestep_spacing": "leading", "steps_offset": 1}
    for name, extra in (("DDPMScheduler", {}), ("DDIMScheduler", {}), ("PNDMScheduler", {"skip_prk_steps": True})):
        for spacing in (*SPACINGS, offset):
            yield name, extra | spacing
        yield name, extra | {"num_train_timesteps": 997, "timestep_spacing": "trailing"}
    yield "PNDMScheduler", {}
    for name in ("DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "EulerDiscreteScheduler"):
        for final in ({}, {"final_sigmas_type": "sigma_min"}):
            for spacing in (*SPACINGS, offset):
                yield name, final | spacing
            for sigmas in ("karras", "exponential", "beta"):
                yield name, final | {f"use_{sigmas}_sigmas": True}
            yield name, final | runs.KARRAS | {"beta_schedule": "squaredcos_cap_v2"}
            yield name, final | runs.EXPONENTIAL | runs.SCALED
        for spacing in SPACINGS[1:3]:
            yield name, runs.KARRAS | spacing
            yield name, runs.EXPONENTIAL | spacing
    for name in ("UniPCMultistepScheduler", "EulerDiscreteScheduler"):
        for sigmas in (runs.KARRAS, runs.EXPONENTIAL):
            yield name, sigmas | {"sigma_min": 0.05, "sigma_max": 20.0}
            yield name, sigmas | {"sigma_min": 0.05, "sigma_max": 20.0, "final_sigmas_type": "sigma_min"}
    dpm = "DPMSolverMultistepScheduler"
    yield dpm, {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1}
    yield dpm, {"algorithm_type": "sde-dpmsolver++"}
    euler = "EulerDiscreteScheduler"
    yield euler, {"interpolation_type": "log_linear"}
    yield euler, {"timestep_type": "continuous", "prediction_type": "v_prediction"} | runs.KARRAS
    yield euler, {"timestep_type": "continuous", "prediction_type": "v_prediction"}
    yield "ScoreSdeVeScheduler", {}
    # Samplers that are chosen by name.
    yield "LCMScheduler", {}
    for name in ("EulerAncestralDiscreteScheduler", "LMSDiscreteScheduler", "DPMSolverSinglestepScheduler"):
        yield name, {}
    for name in ("HeunDiscreteScheduler", "KDPM2DiscreteScheduler"):
        yield name, LINEAR
        yield name, LINEAR | runs.KARRAS
    for name in ("LMSDiscreteScheduler", "DPMSolverSinglestepScheduler"):
        yield name, runs.KARRAS
    yield "FlowMatchEulerDiscreteScheduler", {}


def visited(name, config, steps, dtype):
    module = importlib.import_module(f"diffusers.schedulers.scheduling_{MODULES[name]}")
    kept = {key: getattr(module, key) for key in ("torch", "np") if hasattr(module, key)}
    try:
        if dtype == torch.float64:
            torch.set_default_dtype(torch.float64)
            if "torch" in kept:
                module.torch = runs.Widened(torch)
            if "np" in kept:
                module.np = runs.Widened(numpy)
        scheduler = getattr(diffusers, name)(**config)
        scheduler.set_timesteps(steps)
        if name == "ScoreSdeVeScheduler":
            scheduler.set_sigmas(steps)
        return scheduler
    finally:
        torch.set_default_dtype(torch.float32)
        for key, value in kept.items():
            setattr(module, key, value)


def numbers(values):
    return [float(f"{float(value):.10g}") for value in values]


def record(name, config, steps):
    try:
        stock, double = (visited(name, config, steps, dtype) for dtype in (torch.float32, torch.float64))
    except Exception as error:
        return {"error": type(error).__name__}
    times = stock.timesteps if stock.timesteps.dtype == torch.int64 else double.timesteps
    result = {"timesteps": numbers(times)}
    if numpy.abs(numpy.array(stock.timesteps, dtype=float) - numpy.array(double.timesteps, dtype=float)).max() > 0.5:
        result["timesteps_in_double"] = numbers(double.timesteps)
    sigmas = getattr(double, "discrete_sigmas", None) if name == "ScoreSdeVeScheduler" else getattr(double, "sigmas", None)
    if sigmas is not None:
        result["sigmas"] = numbers(sigmas)
    result["init_noise_sigma"] = numbers([getattr(double, "init_noise_sigma", 1.0)])[0]
    return result


def main():
    warnings.simplefilter("ignore")
    diffusers.utils.logging.set_verbosity_error()
    lines = [{"diffusers": diffusers.__version__, "torch": torch.__version__}]
    for name, config in configurations():
        lines.append({
            "scheduler": name, "config": config,
            "runs": [{"steps": steps} | record(name, config, steps) for steps in STEPS],
        })
    path = pathlib.Path(__file__).with_name("grids.jsonl")
    path.write_text("".join(json.dumps(entry, separators=(",", ":"), allow_nan=False) + "\n" for entry in lines))
    print(f"{len(lines) - 1} configurations, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
