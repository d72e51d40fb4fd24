"""Times Weft and its peers on the same shapes, in turn, and prints how many times as fast Weft is as the best peer.

A B C A B C …: each round runs Weft and every peer once, each with its own warm-up, so that a machine whose speed drifts
slows all alike. Times are medians over the rounds of a run's median; the best peer is the one with the least, and the
ratio is its time by Weft's: above 1 means that Weft is faster. Where both say how many bytes they read and write, the
ratio is of bytes a second: a step reads two arrays and writes one, a copy reads only one. A peer that takes more than
--drop times as long as the best so far is not run in later rounds. Memory of a peer that keeps pages, or of a runtime
that is compared with PyTorch before it is timed, says nothing and is left out.

CPU times are those of all threads. Where weft's report does not have them they are the difference of two processes,
one with all repetitions and one with a single one, divided by the repetitions between.

    python compare.py --weft ../../.build/release/weft            # everything
    python compare.py --weft ../../.build/release/weft pairs      # pair heads only
    python compare.py --list                                      # the cases and their peers
"""

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
# Keeps the pages of freed tensors: PyTorch at its best where most of its time is memory traffic.
KEEP_PAGES = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "8000000000", "MALLOC_TOP_PAD_": "100000000"}


class Peer(NamedTuple):
    name: str
    arguments: list
    keeps_pages: bool = False

    def kept(self):
        return Peer(f"{self.name}, pages kept", self.arguments, True)


class Case(NamedTuple):
    title: str
    group: str
    weft: list  # what follows `weft bench`
    peers: list


HEADS = {"GlobalPointer": "globalpointer", "Efficient head": "efficient"}
NAMES = {
    "bert4torch": "PyTorch as published", "published": "PyTorch as published", "dense": "dense PyTorch",
    "lean": "lean PyTorch", "blocked": "blocked PyTorch", "screened": "screened PyTorch",
    "faiss": "Faiss flat", "sklearn": "scikit-learn brute force",
}
RUNTIMES = {"compiled": "torch.compile", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
LONG = ["--length", "2048", "--batch", "1"]
LARGE = ["--shape", "3,256,256"]


def forms(script, names, *arguments, pages=True):
    """A script's forms as peers, with `pages` each with the pages of freed tensors kept too."""
    peers = [Peer(NAMES[name], [script, "--form", name, *arguments]) for name in names]
    return [each for peer in peers for each in ([peer, peer.kept()] if pages else [peer])]


def pairs_cases():
    for title, head in HEADS.items():
        names = ["bert4torch", "lean", "blocked", *(["screened"] if head == "efficient" else [])]
        yield Case(f"{title}, 16 x 512", "pairs", ["pairs", "--head", head], forms("pairs.py", names, "--head", head))


def links_cases():
    for title, head in (("efficient", "efficient"), ("GlobalPointer", "globalpointer")):
        yield Case(f"Relations, {title} heads, 64 x 256", "links", ["links", "--head", head],
                   forms("links.py", ["dense", "lean", "blocked"], "--head", head))


def loss_cases():
    for shape in ([], LONG):
        for title, head in HEADS.items():
            yield Case(f"ZLPR and gradient, {title}, {'1 x 2048' if shape else '8 x 256'}", "loss",
                       ["loss", "--head", head, *shape],
                       forms("zlpr.py", ["published", "lean"], "--head", head, *shape))


def encoder_cases():
    for title, shape in (("MiniLM", "minilm"), ("BERT-base", "bert-base")):
        for batch, length in ((1, 16), (1, 128), (16, 128)):
            sizes = ["--shape", shape, "--batch", str(batch), "--length", str(length)]
            lean = ["encoder.py", "--form", "lean", *sizes]
            yield Case(f"{title} encoder, {batch} x {length}", "encoder", ["encoder", *sizes], [
                Peer("transformers", ["encoder.py", *sizes]), Peer("lean PyTorch", lean),
                *(Peer(name, [*lean, "--runtime", runtime]) for runtime, name in RUNTIMES.items())])


def unet_cases():
    for batch in (1, 8, 16):
        sizes = ["--batch", str(batch)]
        last = ["unet.py", *sizes, "--layout", "channels-last"]
        plain = ["unet.py", *sizes]
        yield Case(f"U-Net of CIFAR-10's shape, batch {batch}", "unet", ["unet", *sizes], [
            Peer("diffusers", plain), Peer("diffusers, channels last", last),
            *(Peer(name, [*plain, "--runtime", runtime]) for runtime, name in RUNTIMES.items())])


def denoise_cases():
    def case(name, title, *arguments):
        return Peer(title, ["denoise.py", "--case", name, *arguments])

    ddpm, ddim, lean = case("ddpm", "diffusers"), case("ddim", "diffusers"), case("lean", "lean PyTorch")
    copies = [case("opencl-copy", "OpenCL copy", *LARGE), case("torch-copy", "PyTorch copy", *LARGE)]
    yield Case("DDPM step", "denoise", ["denoise"], [ddpm, ddpm.kept(), lean])
    yield Case("DDIM step", "denoise", ["denoise", "--no-noise"], [ddim, ddim.kept()])
    yield Case("Step without noise", "denoise", ["denoise", "--no-noise", *LARGE], copies)
    yield Case("Step's kernel as a copy", "denoise", ["denoise", "--copy", *LARGE], copies[:1])


def average_cases():
    for points in (10_000, 100_000, 1_000_000):
        for shape in ("2", "8,8"):
            for alpha_bar in ("0.01", "0.9"):
                sizes = ["--points", str(points), "--shape", shape, "--alpha-bar", alpha_bar]
                yield Case(
                    f"{points:,} points of {shape.replace(',', ' x ')}, alpha-bar {alpha_bar}", "average",
                    ["average", *sizes], [Peer("lean PyTorch", ["denoise.py", "--case", "average", *sizes])])


def geometry_cases():
    yield Case("Neighbours, 20,000 x 384", "geometry", ["neighbours"],
               forms("geometry.py", ["faiss", "sklearn"], pages=False))


CASES = [
    *pairs_cases(), *links_cases(), *loss_cases(), *encoder_cases(), *unet_cases(), *denoise_cases(), *average_cases(),
    *geometry_cases(),
]


class Failure(Exception):
    pass


def run(command, environment):
    """One run's report, the JSON object on the last line of standard output, and the process's CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=HERE, env=os.environ | environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr.strip()}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout.strip().splitlines()[-1]), spent


def timing(arguments, repetitions):
    return ["--repetitions", str(repetitions), "--warmup", str(arguments.warmup), "--json"]


def run_weft(weft, case, arguments):
    command, repetitions = [weft, "bench", *case.weft], arguments.repetitions
    report, spent = run([*command, *timing(arguments, repetitions)], {})
    if "cpu_seconds" not in report and repetitions > 1:
        once = run([*command, *timing(arguments, 1)], {})[1]
        report["cpu_seconds"] = (spent - once) / (repetitions - 1) / report.get("steps_per_run", 1)
    return report


def run_peer(peer, arguments):
    from measure import WAITING
    environment = WAITING | (KEEP_PAGES if peer.keeps_pages else {})
    return run([sys.executable, *peer.arguments, *timing(arguments, arguments.repetitions)], environment)[0]


def cost(reports):
    """The median time of a run, or of a byte where the reports say how many are moved."""
    return statistics.median(report["median_seconds"] / report.get("step_bytes", 1) for report in reports)


def alternate(case, weft, arguments):
    """Reports of all rounds, Weft's and each peer's, and what went wrong with those peers that are left out."""
    ours, theirs, faults = [], {peer.name: [] for peer in case.peers}, []
    for _ in range(arguments.rounds):
        ours.append(run_weft(weft, case, arguments))
        least = min((cost(reports) for reports in theirs.values() if reports), default=math.inf)
        for peer in case.peers:
            reports = theirs.get(peer.name)
            if reports is None or reports and cost(reports) > arguments.drop * least:
                continue
            try:
                reports.append(run_peer(peer, arguments))
            except Failure as failure:
                faults.append(f"{peer.name} is left out: {failure}")
                del theirs[peer.name]
    return ours, theirs, faults


def disagreements(reports):
    """What not all reports of the same work say alike."""
    for field in ("cells", "spans", "relations"):
        counts = {report[field] for report in reports if field in report}
        if len(counts) > 1:
            yield f"not all runs found as many {field}: {counts}"
    for field, tolerance in (("loss", 1e-4), ("gradient_norm", 1e-4), ("mean_distance", 1e-5)):
        values = {report[field] for report in reports if field in report}
        if values and max(values) - min(values) > tolerance * min(values):
            yield f"not all runs have the same {field}: {values}"


def figure(value):
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def milliseconds(reports, field, of=statistics.median):
    values = [1000 * report[field] for report in reports if field in report]
    return figure(of(values)) if values else ""


def peak(reports, peer=None):
    values = [report["peak_bytes"] for report in reports if "peak_bytes" in report]
    return f"{max(values) / 2**20:.0f}" if values and not (peer and peer.keeps_pages) else ""


def show(case, ours, theirs, arguments):
    """The case's row; with --all another for each other peer, and the least times beside the medians."""
    ranked = sorted((peer for peer in case.peers if theirs.get(peer.name)), key=lambda peer: cost(theirs[peer.name]))
    for peer in ranked if arguments.all else ranked[:1]:
        reports = theirs[peer.name]
        least = [f" ({milliseconds(each, 'min_seconds', min)})" if arguments.all else "" for each in (ours, reports)]
        print("|", " | ".join([
            case.title, peer.name + (" (best)" if arguments.all and peer is ranked[0] else ""),
            figure(cost(reports) / cost(ours)),
            milliseconds(ours, "median_seconds") + least[0], milliseconds(ours, "cpu_seconds"),
            milliseconds(reports, "median_seconds") + least[1], milliseconds(reports, "cpu_seconds"),
            peak(ours), peak(reports, peer)]), "|", flush=True)


def list_cases(cases):
    for case in cases:
        print(f"{case.title} [{case.group}]: weft bench {' '.join(case.weft)}")
        for peer in case.peers:
            print(f"    {peer.name}: {' '.join(peer.arguments)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    groups = list(dict.fromkeys(case.group for case in CASES))
    parser.add_argument("groups", nargs="*", metavar="group", help=f"only these: {', '.join(groups)}")
    parser.add_argument("--weft", help="the weft program")
    parser.add_argument("--case", default="", help="only cases with this in their titles")
    parser.add_argument("--list", action="store_true", help="print the cases and their peers")
    parser.add_argument("--all", action="store_true", help="a row for every peer, with least times")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=5, help="timed runs of each command in a round")
    parser.add_argument("--warmup", type=int, default=2, help="runs before those, not timed")
    parser.add_argument("--drop", type=float, default=3, help="how many times as slow as the best a peer may be")
    arguments = parser.parse_args()
    if unknown := set(arguments.groups) - set(groups):
        parser.error(f"no group {', '.join(sorted(unknown))}; there are {', '.join(groups)}")
    cases = [case for case in CASES
             if case.group in (arguments.groups or groups) and arguments.case.lower() in case.title.lower()]
    if arguments.list:
        return list_cases(cases)
    if not arguments.weft:
        parser.error("--weft is needed")
    weft, failed = str(Path(arguments.weft).resolve()), False

    print("| case | best peer | times as fast | Weft ms | Weft CPU ms | peer ms | peer CPU ms | Weft peak MiB | peer peak MiB |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for case in cases:
        try:
            ours, theirs, faults = alternate(case, weft, arguments)
        except Failure as failure:
            ours, theirs, faults = [], {}, [str(failure)]
        reports = [report for each in (ours, *theirs.values()) for report in each]
        for message in [*faults, *disagreements(reports)]:
            print(f"{case.title}: {message}", file=sys.stderr, flush=True)
        failed = failed or bool(faults)
        show(case, ours, theirs, arguments)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
