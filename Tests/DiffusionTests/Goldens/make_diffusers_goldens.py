"""Follows Hugging Face diffusers' schedulers with a toy denoiser and writes what they do to diffusers.jsonl.

Run:      python -m venv .venv && .venv/bin/pip install torch==2.13.0 diffusers==0.42.1 scipy
          .venv/bin/python Tests/DiffusionTests/Goldens/make_diffusers_goldens.py
Versions: torch 2.13.0 (CPU), diffusers 0.42.1, Python 3.11. No weights, no network.

The run is closed form but for the scheduler itself, so a test needs nothing but this file:

- Start: element f of a (4, 3, 8, 8) batch is ((f % 192) * 4 + f // 192) / 768, which is arange(768) / 768 as
  (3, 8, 8, 4) with its last axis moved to the front. It is multiplied by the scheduler's init_noise_sigma, and by
  start_scale, which is 8 for the runs about clipping, since x0 would stay inside the limits otherwise.
- Denoiser: model(x, t) = x * t / (t + 1), for x as scale_model_input gives it. With "learned_range" a second
  output cos(3 x) follows.
- Noise: sqrt(2) * cos(0.9 + 2.3 k + 0.7 f) for element f of the k-th call of step(), in place of randn_tensor.

A line holds: name, scheduler, config (what differs from the scheduler's defaults), set_timesteps, step (further
arguments of each), timesteps, sigmas, init_noise_sigma, and samples: after every call of step() the elements
listed in the first line. `double` holds the same of a scheduler whose float32 was replaced by float64; it is
there when the stock scheduler's rounding moved a sample by more than 2e-5 of its value (see `rounding`), and
says what the scheduler computes apart from that. `not_finite_after` is there when diffusers' samples are not
finite after so many calls; the samples end before.
"""

import importlib
import json
import math
import pathlib
import types
import warnings

import diffusers
import numpy
import torch

ELEMENTS = [(73 * i + 5) % 768 for i in range(24)]
FLOOR = 0.01
MODULES = {
    "DDPMScheduler": "ddpm",
    "DDIMScheduler": "ddim",
    "DPMSolverMultistepScheduler": "dpmsolver_multistep",
    "DPMSolverSinglestepScheduler": "dpmsolver_singlestep",
    "UniPCMultistepScheduler": "unipc_multistep",
    "EulerDiscreteScheduler": "euler_discrete",
    "EulerAncestralDiscreteScheduler": "euler_ancestral_discrete",
    "HeunDiscreteScheduler": "heun_discrete",
    "KDPM2DiscreteScheduler": "k_dpm_2_discrete",
    "LMSDiscreteScheduler": "lms_discrete",
    "PNDMScheduler": "pndm",
    "LCMScheduler": "lcm",
    "FlowMatchEulerDiscreteScheduler": "flow_match_euler_discrete",
    "EDMEulerScheduler": "edm_euler",
    "EDMDPMSolverMultistepScheduler": "edm_dpmsolver_multistep",
}

COSINE = {"beta_schedule": "squaredcos_cap_v2"}
SCALED = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
KARRAS = {"use_karras_sigmas": True}
EXPONENTIAL = {"use_exponential_sigmas": True}
V = {"prediction_type": "v_prediction"}
SAMPLE = {"prediction_type": "sample"}
THRESHOLD = {"thresholding": True, "sample_max_value": 1.5, "dynamic_thresholding_ratio": 0.9}


def spaced(kind, offset=0):
    return {"timestep_spacing": kind, "steps_offset": offset}


def configurations():
    """Every run, as (name, scheduler, config, steps or arguments of set_timesteps, arguments of step)."""
    free = {"clip_sample": False}
    ddpm = "DDPMScheduler"
    yield "ddpm", ddpm, {}, 10, {}
    yield "ddpm-unclipped", ddpm, free, 10, {}
    yield "ddpm-1", ddpm, spaced("trailing"), 1, {}
    yield "ddpm-7", ddpm, free, 7, {}
    yield "ddpm-25-large", ddpm, free | {"variance_type": "fixed_large"}, 25, {}
    yield "ddpm-learned-range", ddpm, free | {"variance_type": "learned_range"}, 13, {}
    yield "ddpm-scaled-linspace", ddpm, free | SCALED | spaced("linspace"), 13, {}
    yield "ddpm-cosine-trailing", ddpm, COSINE | spaced("trailing"), 13, {}
    yield "ddpm-sigmoid", ddpm, free | {"beta_schedule": "sigmoid"}, 10, {}
    yield "ddpm-sample", ddpm, free | SAMPLE, 10, {}
    yield "ddpm-v", ddpm, free | V | spaced("trailing"), 7, {}
    yield "ddpm-threshold", ddpm, THRESHOLD | SAMPLE, 10, {}
    yield "ddpm-clip-half", ddpm, SAMPLE | {"clip_sample_range": 0.5}, 7, {}
    yield "ddpm-offset", ddpm, free | spaced("leading", 1), 10, {}
    yield "ddpm-custom", ddpm, free, {"timesteps": [987, 700, 512, 300, 150, 40, 7]}, {}
    yield "ddpm-500", ddpm, {"num_train_timesteps": 500}, 10, {}

    ddim = "DDIMScheduler"
    yield "ddim", ddim, free, 10, {}
    yield "ddim-1", ddim, free | spaced("trailing"), 1, {}
    yield "ddim-clip", ddim, {}, 10, {}
    yield "ddim-clip-rederived", ddim, {}, 10, {"use_clipped_model_output": True}
    yield "ddim-eta-half", ddim, free, 10, {"eta": 0.5}
    yield "ddim-eta-one", ddim, {}, 7, {"eta": 1.0}
    yield "ddim-zero-snr", ddim, V | free | spaced("trailing") | {"rescale_betas_zero_snr": True}, 10, {}
    yield "ddim-scaled-offset", ddim, free | SCALED | spaced("leading", 1) | {"set_alpha_to_one": False}, 25, {}
    yield "ddim-sample", ddim, free | SAMPLE | {"set_alpha_to_one": False}, 13, {"eta": 0.5}
    yield "ddim-threshold", ddim, THRESHOLD, 7, {}
    yield "ddim-trailing-7", ddim, free | spaced("trailing"), 7, {}
    yield "ddim-linspace-25", ddim, free | spaced("linspace"), 25, {}

    to_sigma_min = {"final_sigmas_type": "sigma_min"}
    full = to_sigma_min | {"solver_order": 3, "lower_order_final": False}
    dpm = "DPMSolverMultistepScheduler"
    for order in (1, 2, 3):
        yield f"dpm++{order}m", dpm, {"solver_order": order}, 10, {}
        yield f"dpm++{order}m-25", dpm, SCALED | {"solver_order": order}, 25, {}
    yield "dpm++2m-1", dpm, {}, 1, {}
    yield "dpm++2m-7-leading", dpm, spaced("leading", 1), 7, {}
    yield "dpm++2m-13-trailing", dpm, spaced("trailing"), 13, {}
    yield "dpm++2m-full-final", dpm, {"lower_order_final": False}, 10, {}
    yield "dpm++3m-full-final-sigma-min", dpm, full, 7, {}
    yield "dpm++2m-sigma-min", dpm, to_sigma_min, 10, {}
    yield "dpm++2m-euler-final-25", dpm, {"euler_at_final": True, "final_sigmas_type": "sigma_min"}, 25, {}
    yield "dpm++2m-karras", dpm, KARRAS | SCALED, 10, {}
    yield "dpm++2m-karras-sigma-min", dpm, KARRAS | to_sigma_min, 10, {}
    yield "dpm++3m-karras-25", dpm, KARRAS | {"solver_order": 3}, 25, {}
    yield "dpm++2m-exponential", dpm, EXPONENTIAL, 10, {}
    yield "dpm++2m-cosine-v", dpm, COSINE | V, 10, {}
    yield "dpm++2m-cosine-leading", dpm, COSINE | spaced("leading"), 7, {}
    yield "dpm++2m-zero-snr-v", dpm, V | spaced("trailing") | {"rescale_betas_zero_snr": True}, 10, {}
    yield "dpm++2m-threshold", dpm, THRESHOLD, 10, {}
    yield "dpm++2m-sample", dpm, SAMPLE, 7, {}
    yield "dpm++2m-heun", dpm, {"solver_type": "heun"}, 10, {}
    yield "dpm++2m-custom", dpm, {}, {"timesteps": [999, 800, 555, 333, 100, 20]}, {}
    sde = {"algorithm_type": "sde-dpmsolver++"}
    yield "sde-dpm++2m", dpm, sde, 10, {}
    yield "sde-dpm++2m-karras-25", dpm, sde | KARRAS, 25, {}
    yield "sde-dpm++1", dpm, sde | {"solver_order": 1, "final_sigmas_type": "sigma_min"}, 7, {}

    single = "DPMSolverSinglestepScheduler"
    yield "dpm++2s", single, {}, 10, {}
    yield "dpm++2s-13", single, SCALED, 13, {}
    yield "dpm++2s-sigma-min", single, to_sigma_min, 10, {}
    yield "dpm++2s-karras", single, KARRAS, 7, {}

    unipc = "UniPCMultistepScheduler"
    plain = {"disable_corrector": list(range(100))}
    for variant, end in (("bh1", to_sigma_min), ("bh2", {})):
        for order in (2, 3):
            yield f"unipc{order}-{variant}", unipc, end | {"solver_type": variant, "solver_order": order}, 10, {}
        yield f"unipc2-{variant}-plain", unipc, end | plain | {"solver_type": variant}, 10, {}
    yield "unipc2-bh1-to-zero", unipc, {"solver_type": "bh1"}, 10, {}
    yield "unipc1", unipc, {"solver_order": 1}, 7, {}
    yield "unipc3-plain", unipc, plain | {"solver_order": 3}, 13, {}
    yield "unipc2-some-correctors", unipc, {"disable_corrector": [0, 1, 4]}, 10, {}
    yield "unipc2-karras", unipc, KARRAS | SCALED, 10, {}
    yield "unipc3-sigma-min", unipc, full, 13, {}
    yield "unipc2-1", unipc, {}, 1, {}
    yield "unipc2-v-leading", unipc, V | spaced("leading", 1), 7, {}

    euler = "EulerDiscreteScheduler"
    yield "euler", euler, {}, 10, {}
    yield "euler-leading", euler, SCALED | spaced("leading", 1), 13, {}
    yield "euler-trailing-v", euler, V | spaced("trailing"), 7, {}
    yield "euler-karras", euler, KARRAS, 10, {}
    yield "euler-karras-sigma-min", euler, KARRAS | to_sigma_min, 10, {}
    yield "euler-exponential", euler, EXPONENTIAL, 10, {}
    yield "euler-log-linear", euler, {"interpolation_type": "log_linear"}, 10, {}
    yield "euler-churn", euler, KARRAS, 10, {"s_churn": 4.0, "s_tmin": 0.1, "s_tmax": 50.0, "s_noise": 1.003}
    yield "euler-1", euler, spaced("trailing"), 1, {}
    ancestral = "EulerAncestralDiscreteScheduler"
    yield "ancestral", ancestral, {}, 10, {}
    yield "ancestral-trailing-v", ancestral, V | spaced("trailing"), 13, {}
    heun = "HeunDiscreteScheduler"
    yield "heun", heun, {}, 10, {}
    yield "heun-karras", heun, KARRAS | {"beta_start": 0.0001, "beta_end": 0.02}, 7, {}
    yield "heun-clip-trailing", heun, spaced("trailing") | {"clip_sample": True}, 7, {}
    kdpm2 = "KDPM2DiscreteScheduler"
    yield "kdpm2", kdpm2, {}, 10, {}
    yield "kdpm2-leading", kdpm2, SCALED | spaced("leading", 1), 13, {}
    yield "kdpm2-trailing-v", kdpm2, V | spaced("trailing"), 7, {}
    yield "kdpm2-karras", kdpm2, KARRAS | {"beta_start": 0.0001, "beta_end": 0.02}, 7, {}
    yield "kdpm2-exponential", kdpm2, EXPONENTIAL, 10, {}
    lms = "LMSDiscreteScheduler"
    yield "lms", lms, {}, 10, {}
    yield "lms-karras-13", lms, KARRAS | SCALED, 13, {}
    yield "lms-order-2", lms, {}, 7, {"order": 2}

    pndm = "PNDMScheduler"
    skip = {"skip_prk_steps": True}
    yield "pndm", pndm, {}, 10, {}
    yield "pndm-25", pndm, {}, 25, {}
    yield "plms", pndm, skip, 10, {}
    yield "plms-13-scaled-offset", pndm, skip | SCALED | spaced("leading", 1), 13, {}
    yield "plms-v-one", pndm, skip | V | {"set_alpha_to_one": True}, 10, {}
    lcm = "LCMScheduler"
    yield "lcm-4", lcm, {}, 4, {}
    yield "lcm-7-clip", lcm, SAMPLE | {"clip_sample": True, "beta_schedule": "linear"}, 7, {}
    yield "lcm-1", lcm, {}, 1, {}
    flow = "FlowMatchEulerDiscreteScheduler"
    yield "flow", flow, {}, 10, {}
    yield "flow-shift-3", flow, {"shift": 3.0}, 13, {}
    yield "flow-karras", flow, KARRAS, 7, {}
    yield "flow-stochastic", flow, {"stochastic_sampling": True}, 7, {}
    # The toy model has a pole at t = -1, that is σ = e^-4: the ladders stay above it.
    edm = {"sigma_min": 0.05, "prediction_type": "v_prediction"}
    yield "edm-euler", "EDMEulerScheduler", edm, 10, {}
    unit = edm | {"sigma_schedule": "exponential", "sigma_data": 1.0}
    yield "edm-euler-exponential", "EDMEulerScheduler", unit, 7, {}
    yield "edm-dpm++2m", "EDMDPMSolverMultistepScheduler", edm, 10, {}
    yield "edm-dpm++3m-20", "EDMDPMSolverMultistepScheduler", edm | {"solver_order": 3}, 20, {}


class Widened(types.ModuleType):
    """A module in which float32 is float64."""

    def __init__(self, module):
        super().__init__(module.__name__)
        self.module = module
        self.float32 = module.float64

    def __getattr__(self, name):
        return getattr(self.module, name)


def noise(call, dtype):
    element = torch.arange(768, dtype=torch.float64)
    wave = math.sqrt(2) * torch.cos(0.9 + 2.3 * call + 0.7 * element)
    return wave.reshape(4, 3, 8, 8).to(dtype)


def model(x, t, two_outputs):
    output = x * (t / (t + 1))
    return torch.cat([output, torch.cos(3 * x)], dim=1) if two_outputs else output


def follow(name, config, set_timesteps, step, start_scale, dtype):
    """One scheduler's run in one precision: the scheduler and its samples after every step."""
    module = importlib.import_module(f"diffusers.schedulers.scheduling_{MODULES[name]}")
    calls = {"step": 0}
    kept = {key: getattr(module, key) for key in ("torch", "np", "randn_tensor") if hasattr(module, key)}
    try:
        if dtype == torch.float64:
            module.torch, module.np = Widened(torch), Widened(numpy)
            torch.set_default_dtype(torch.float64)
        module.randn_tensor = lambda *_, **__: noise(calls["step"], dtype)
        scheduler = getattr(diffusers, name)(**config)
        arguments = {"num_inference_steps": set_timesteps} if isinstance(set_timesteps, int) else set_timesteps
        scheduler.set_timesteps(**arguments)
        element = torch.arange(768, dtype=torch.float64).reshape(3, 8, 8, 4).permute(3, 0, 1, 2) / 768
        sample = start_scale * element.to(dtype) * getattr(scheduler, "init_noise_sigma", 1.0)
        samples = []
        for call, t in enumerate(scheduler.timesteps):
            calls["step"] = call
            seen = scheduler.scale_model_input(sample, t) if hasattr(scheduler, "scale_model_input") else sample
            two_outputs = config.get("variance_type") == "learned_range"
            sample = scheduler.step(model(seen, t, two_outputs), t, sample, **step).prev_sample
            samples.append(sample.reshape(-1)[ELEMENTS].double().numpy())
        return scheduler, numpy.array(samples)
    finally:
        torch.set_default_dtype(torch.float32)
        for key, value in kept.items():
            setattr(module, key, value)


def rounded(values):
    return [float(f"{float(value):.9g}") for value in values]


def line(name, scheduler_name, config, set_timesteps, step):
    start_scale = 8.0 if config.get("thresholding") or "-clip" in name else 1.0
    run = (scheduler_name, config, set_timesteps, step, start_scale)
    scheduler, samples = follow(*run, torch.float32)
    _, double = follow(*run, torch.float64)
    finite = numpy.isfinite(samples).all(axis=1)
    calls = len(samples) if finite.all() else int(finite.argmin())
    samples, double = samples[:calls], double[:calls]
    floor = FLOOR * numpy.abs(double).max(axis=1, keepdims=True) + 1e-30
    rounding = float((numpy.abs(samples - double) / numpy.maximum(numpy.abs(double), floor)).max())
    result = {
        "name": name,
        "scheduler": scheduler_name,
        "config": config,
        "set_timesteps": {"num_inference_steps": set_timesteps} if isinstance(set_timesteps, int) else set_timesteps,
        "step": step,
        "timesteps": rounded(scheduler.timesteps),
        "init_noise_sigma": rounded([getattr(scheduler, "init_noise_sigma", 1.0)])[0],
        "start_scale": start_scale,
        "rounding": float(f"{rounding:.2g}"),
    }
    if calls < len(scheduler.timesteps):
        result["not_finite_after"] = calls
    if hasattr(scheduler, "sigmas"):
        result["sigmas"] = rounded(scheduler.sigmas)
    result["samples"] = [rounded(step_samples) for step_samples in samples]
    if rounding > 2e-5:
        result["double"] = [rounded(step_samples) for step_samples in double]
    return result


def main():
    warnings.simplefilter("ignore")
    diffusers.utils.logging.set_verbosity_error()
    lines = [{"diffusers": diffusers.__version__, "torch": torch.__version__, "elements": ELEMENTS}]
    for configuration in configurations():
        lines.append(line(*configuration))
    assert len({entry.get("name") for entry in lines}) == len(lines)
    path = pathlib.Path(__file__).with_name("diffusers.jsonl")
    path.write_text("".join(json.dumps(entry, separators=(",", ":"), allow_nan=False) + "\n" for entry in lines))
    print(f"{len(lines) - 1} configurations, {path.stat().st_size} bytes")
    for entry in sorted(lines[1:], key=lambda entry: -entry["rounding"]):
        if "double" in entry:
            print(entry["name"], entry["rounding"])


if __name__ == "__main__":
    main()
