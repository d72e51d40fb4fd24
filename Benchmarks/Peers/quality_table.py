"""Makes the tables of sample quality: samplers at few steps, and noise from hubs, on the digits model.

    python quality_table.py --weft ../../.build/release/weft --output FOLDER

Every row is one run of `weft sample --model digits-unet` and one of `weft quality` against the handwritten digits,
brought to 16 x 16 pixels between 0 and 1. The first table has samplers at 5, 10, 25 and 50 steps; Analytic-DDPM's
variances come from `weft`'s own estimate, kept in FOLDER; "capped" limits its last visible noise to one level of 255.
The second starts DDIM from other noise: plain, hubs of it (`weft hubs`), and plain noise scaled to the hubs' mean norm.
What is there is not made again. Needs NumPy only.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy

SAMPLERS = {
    "ddpm": ("DDPM, β̃", ["--sampler", "ddpm", "--variance", "small"]),
    "analytic-ddpm": ("Analytic-DDPM", ["--sampler", "analytic-ddpm"]),
    "analytic-ddpm-capped": ("Analytic-DDPM, capped", ["--sampler", "analytic-ddpm", "--noise-cap", "1"]),
    "ddim": ("DDIM", ["--sampler", "ddim"]),
    "dpm-solver++-2m": ("DPM-Solver++ 2M", ["--sampler", "dpm-solver-2m"]),
}


def run(command):
    """A command's standard output; what it says besides is for the person who waits."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed with status {done.returncode}")
    return done.stdout


def quality(arguments, name, options):
    samples = arguments.output / f"{name}.npy"
    if not samples.exists():
        run([arguments.weft, "sample", "--model", "digits-unet", "--count", str(arguments.count), "--seed", "1",
             "--array", samples, *map(str, options)])
    return json.loads(run([arguments.weft, "quality", samples, "--reference", "DIGITS", "--range", "0,1", "--resize",
                           "--json"]))


def cells(report):
    return f"{report['frechet_distance']:.3f} | {report['precision']:.3f} | {report['recall']:.3f}"


def sampler_table(arguments):
    print("| sampler | steps | Fréchet distance | precision | recall |\n|---|---|---|---|---|")
    for name, (title, options) in SAMPLERS.items():
        for steps in arguments.steps:
            extra = []
            if name.startswith("analytic"):
                gamma = arguments.output / f"gamma-{steps}.json"
                extra = ["--gamma", gamma] if gamma.exists() else ["--data", "DIGITS", "--save-gamma", gamma]
            report = quality(arguments, f"{name}-{steps}", [*options, "--steps", steps, *extra])
            print(f"| {title} | {steps} | {cells(report)} |", flush=True)


def noise_table(arguments):
    elements = 256
    hubs = arguments.output / "hubs.npy"
    if not hubs.exists():
        run([arguments.weft, "hubs", "--dimension", str(elements), "--draws", str(arguments.draws), "-k", "5",
             "--at-least", str(arguments.at_least), "--seed", "2", "--output", hubs])
    latents = numpy.load(hubs)
    if len(latents) < arguments.count:
        sys.exit(f"{len(latents)} hubs are fewer than {arguments.count} samples: raise --draws or lower --at-least")
    plain = numpy.random.default_rng(3).standard_normal((arguments.count, elements)).astype("float32")
    norms = numpy.linalg.norm(latents[:arguments.count], axis=1).mean() / numpy.linalg.norm(plain, axis=1).mean()
    starts = {
        "plain noise": plain,
        f"hubs, N ≥ {arguments.at_least} of {arguments.draws:,}, norm {norms:.3f} of plain": latents[:arguments.count],
        f"plain noise times {norms:.3f}": plain * numpy.float32(norms),
    }
    print(f"\n| DDIM, {arguments.noise_steps} steps, from | Fréchet distance | precision | recall |\n|---|---|---|---|")
    for number, (title, noise) in enumerate(starts.items()):
        file = arguments.output / f"noise-{number}.npy"
        numpy.save(file, noise.reshape(arguments.count, 1, 16, 16))
        report = quality(arguments, f"from-noise-{number}",
                         ["--sampler", "ddim", "--steps", arguments.noise_steps, "--noise", file])
        print(f"| {title} | {cells(report)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--weft", required=True, help="the program")
    parser.add_argument("--output", required=True, type=Path, metavar="FOLDER", help="where samples are kept")
    parser.add_argument("--count", type=int, default=1_000, help="samples a row")
    parser.add_argument("--steps", type=int, nargs="+", default=[5, 10, 25, 50])
    parser.add_argument("--noise-steps", type=int, default=25)
    parser.add_argument("--draws", type=int, default=40_000, help="latents that hubs are chosen from")
    parser.add_argument("--at-least", type=int, default=20, help="the least N of a hub")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    sampler_table(arguments)
    noise_table(arguments)


if __name__ == "__main__":
    main()
