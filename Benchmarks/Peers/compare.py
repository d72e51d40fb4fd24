"""Times Weft and its peers on the same shapes, in turn, and prints the ratio of their medians.

A B A B …: each round runs both commands once, each with its own warm-up, so that a machine whose speed drifts slows
both alike. The ratio is of the medians over all rounds; above 1 means that Weft is faster. The least times of all
rounds are printed beside it: on a shared machine they are the steadier figure. Where both say how many bytes they
read and write, the ratio is of bytes a second: a step reads two arrays and writes one, a copy reads only one.

    python compare.py --weft ../../.build/release/weft            # everything
    python compare.py --weft ../../.build/release/weft pairs      # pair heads only
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Keeps the pages of freed tensors: PyTorch at its best where most of its time is memory traffic.
KEEP_PAGES = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "8000000000", "MALLOC_TOP_PAD_": "100000000"}
# Threads that wait for one another sleep: spinning on a busy machine can cost a time slice for each small operation.
SLEEP = {"OMP_WAIT_POLICY": "PASSIVE"}
AVERAGES = [(points, shape, alpha_bar)
            for points in (10_000, 100_000, 1_000_000) for shape in ("2", "8,8") for alpha_bar in ("0.01", "0.9")]
LARGE = ["--shape", "3,256,256"]
LONG = ["--length", "2048", "--batch", "1"]
HEADS = {"GlobalPointer": "globalpointer", "Efficient head": "efficient"}

# name, group, Weft's arguments, the peer's arguments, more environment for the peer
CASES = [
    ("GlobalPointer, as published", "pairs", ["bench", "pairs", "--head", "globalpointer"],
     ["pairs.py", "--head", "globalpointer", "--form", "bert4torch"], {}),
    ("GlobalPointer, lean PyTorch, pages kept", "pairs", ["bench", "pairs", "--head", "globalpointer"],
     ["pairs.py", "--head", "globalpointer", "--form", "lean"], KEEP_PAGES),
    ("Efficient head, as published", "pairs", ["bench", "pairs", "--head", "efficient"],
     ["pairs.py", "--head", "efficient", "--form", "bert4torch"], {}),
    ("Efficient head, lean PyTorch, pages kept", "pairs", ["bench", "pairs", "--head", "efficient"],
     ["pairs.py", "--head", "efficient", "--form", "lean"], KEEP_PAGES),
    ("Relations, efficient heads, dense", "links", ["bench", "links", "--head", "efficient"],
     ["links.py", "--head", "efficient", "--form", "dense"], SLEEP),
    ("Relations, efficient heads, dense, pages kept", "links", ["bench", "links", "--head", "efficient"],
     ["links.py", "--head", "efficient", "--form", "dense"], SLEEP | KEEP_PAGES),
    ("Relations, efficient heads, lean PyTorch, pages kept", "links", ["bench", "links", "--head", "efficient"],
     ["links.py", "--head", "efficient", "--form", "lean"], SLEEP | KEEP_PAGES),
    ("Relations, GlobalPointer heads, dense", "links", ["bench", "links", "--head", "globalpointer"],
     ["links.py", "--head", "globalpointer", "--form", "dense"], SLEEP),
    ("Relations, GlobalPointer heads, lean PyTorch, pages kept", "links",
     ["bench", "links", "--head", "globalpointer"],
     ["links.py", "--head", "globalpointer", "--form", "lean"], SLEEP | KEEP_PAGES),
    ("Neighbours, Faiss flat", "geometry", ["bench", "neighbours"], ["geometry.py", "--form", "faiss"], {}),
    ("Neighbours, scikit-learn brute force", "geometry", ["bench", "neighbours"],
     ["geometry.py", "--form", "sklearn"], {}),
] + [
    (f"ZLPR and gradient, {name}{', 1 x 2048' if shape else ''}, {form}{', pages kept' if kept else ''}", "loss",
     ["bench", "loss", "--head", head, *shape], ["zlpr.py", "--head", head, "--form", form, *shape], SLEEP | kept)
    for shape in ([], LONG) for name, head in HEADS.items() for form in ("published", "lean")
    for kept in ({}, KEEP_PAGES)
] + [
    ("MiniLM encoder, 16 x 128", "encoder", ["bench", "encoder", "--shape", "minilm"],
     ["encoder.py", "--shape", "minilm"], {}),
    ("BERT-base encoder, 16 x 128", "encoder", ["bench", "encoder", "--shape", "bert-base"],
     ["encoder.py", "--shape", "bert-base"], {}),
    ("U-Net of CIFAR-10's shape, 8 images", "unet", ["bench", "unet"], ["unet.py"], SLEEP),
    ("U-Net of CIFAR-10's shape, 8 images, channels last", "unet", ["bench", "unet"],
     ["unet.py", "--layout", "channels-last"], SLEEP),
    ("DDPM step, diffusers", "denoise", ["bench", "denoise"], ["denoise.py", "--case", "ddpm"], SLEEP),
    ("DDPM step, diffusers, pages kept", "denoise", ["bench", "denoise"], ["denoise.py", "--case", "ddpm"],
     SLEEP | KEEP_PAGES),
    ("DDPM step, lean PyTorch", "denoise", ["bench", "denoise"], ["denoise.py", "--case", "lean"], SLEEP),
    ("DDIM step, diffusers", "denoise", ["bench", "denoise", "--no-noise"], ["denoise.py", "--case", "ddim"], SLEEP),
    ("DDIM step, diffusers, pages kept", "denoise", ["bench", "denoise", "--no-noise"],
     ["denoise.py", "--case", "ddim"], SLEEP | KEEP_PAGES),
    ("Step without noise, OpenCL copy", "denoise", ["bench", "denoise", "--no-noise", *LARGE],
     ["denoise.py", "--case", "opencl-copy", *LARGE], {}),
    ("Step without noise, PyTorch copy", "denoise", ["bench", "denoise", "--no-noise", *LARGE],
     ["denoise.py", "--case", "torch-copy", *LARGE], SLEEP),
    ("Step's kernel as a copy, OpenCL copy", "denoise", ["bench", "denoise", "--copy", *LARGE],
     ["denoise.py", "--case", "opencl-copy", *LARGE], {}),
] + [
    (f"{points:,} points of {shape.replace(',', ' x ')}, alpha-bar {alpha_bar}", "average",
     ["bench", "average", "--points", str(points), "--shape", shape, "--alpha-bar", alpha_bar],
     ["denoise.py", "--case", "average", "--points", str(points), "--shape", shape, "--alpha-bar", alpha_bar], SLEEP)
    for points, shape, alpha_bar in AVERAGES
]


def run(command, environment):
    """One run's report, a JSON object on the last line of standard output."""
    done = subprocess.run(command, cwd=HERE, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with status {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def figure(value):
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "group", nargs="?", choices=["pairs", "links", "loss", "encoder", "denoise", "average", "geometry", "unet"],
        help="only this group")
    parser.add_argument("--weft", required=True, help="the weft program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=5, help="timed runs of each command in a round")
    parser.add_argument("--warmup", type=int, default=2, help="runs before those, not timed")
    arguments = parser.parse_args()
    weft = str(Path(arguments.weft).resolve())
    timed = ["--repetitions", str(arguments.repetitions), "--warmup", str(arguments.warmup), "--json"]

    print("| case | Weft median (least) ms | peer's median (least) ms | ratio of medians | Weft peak MiB | peer's peak MiB |")
    print("|---|---|---|---|---|---|")
    for name, group, ours, theirs, environment in CASES:
        if arguments.group not in (None, group):
            continue
        rounds = []
        for _ in range(arguments.rounds):
            rounds.append((run([weft, *ours, *timed], {}), run([sys.executable, *theirs, *timed], environment)))
        for field in ("spans", "relations"):
            counts = {report.get(field) for reports in rounds for report in reports}
            if len(counts) > 1:
                print(f"{name}: not all runs found as many {field}: {counts}", file=sys.stderr)
        for field in ("loss", "gradient_norm"):
            values = {report[field] for reports in rounds for report in reports if field in report}
            if values and max(values) - min(values) > 1e-4 * min(values):
                print(f"{name}: not all runs have the same {field}: {values}", file=sys.stderr)
        distances = [report["mean_distance"] for reports in rounds for report in reports if "mean_distance" in report]
        if distances and max(distances) > min(distances) * (1 + 1e-5):
            print(f"{name}: not all runs found the same mean distance: {distances}", file=sys.stderr)
        columns = []
        medians = []
        for reports in zip(*rounds):
            median = statistics.median(report["median_seconds"] for report in reports)
            least = min(report["min_seconds"] for report in reports)
            medians.append(median)
            columns.append(f"{figure(1000 * median)} ({figure(1000 * least)})")
        work = [reports[0].get("step_bytes", 1) for reports in zip(*rounds)]
        ratio = medians[1] / medians[0] * work[0] / work[1]
        peaks = [max(report.get("peak_bytes", 0) for report in reports) / 2**20 for reports in zip(*rounds)]
        kept = KEEP_PAGES.items() <= environment.items()
        peer_peak = "" if kept else f"{peaks[1]:.0f}"  # with pages kept the growth says nothing
        print(f"| {name} | {columns[0]} | {columns[1]} | {figure(ratio)} | {peaks[0]:.0f} | {peer_peak} |",
              flush=True)


if __name__ == "__main__":
    main()
