"""What the peers share: repeated timing, peak memory, and one way to print a result.

Every repetition does the whole timed work; warm-up runs are not timed. Beside the time of a run
stands the CPU time of all the process's threads in it (`cpu_seconds`, the median). The peak is what the
runs, the first included, hold beyond the memory in use before them (inputs, model, PyTorch).

Peers with `--device` run on a GPU as well. A run is over when the GPU is idle, and the peak is
that of PyTorch's allocator there. How exactly they multiply is said, not left to PyTorch's
defaults: `--precision` takes one name or several, each of which is a result of its own.

    float32    float32 throughout, TF32 off
    tf32       products of float32 numbers in TF32, on GPUs that have it
    autocast   PyTorch's mixed precision, weights cast to bfloat16 at each use
    bfloat16   weights, inputs and activations in bfloat16
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import sys
import time

import torch


# Threads that wait for others sleep: spinning takes their time slices on a busy machine, and CPU time on any. OpenMP's
# libraries and OpenBLAS (the least power of two of cycles that it takes) read these once, when they are loaded.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0", "OPENBLAS_THREAD_TIMEOUT": "4"}


def common_arguments(description, repetitions):
    """The options of all peers. A script whose environment does not say how to wait starts anew with WAITING."""
    if not WAITING.keys() <= os.environ.keys():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], WAITING | os.environ)
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=repetitions)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser


PRECISIONS = ("float32", "tf32", "autocast", "bfloat16")


def device_arguments(parser):
    """The options of peers that run on a GPU too."""
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=["float32"])


def element_type(precision):
    """Of weights and inputs."""
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


@contextlib.contextmanager
def multiplying(device, precision):
    """Runs what is inside at one of the precisions, in inference mode."""
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = device == "cuda"
    with torch.inference_mode():
        if precision == "autocast":
            with torch.autocast(device, dtype=torch.bfloat16):
                yield
        else:
            yield


def device_report(device, precision):
    """What a result says of where and how exactly it was computed; nothing for float32 on the CPU."""
    if device == "cpu" and precision == "float32":
        return {}
    values = {"device": device, "precision": precision, "tf32": torch.backends.cuda.matmul.allow_tf32}
    if device == "cuda":
        values |= {"device": torch.cuda.get_device_name(), "cuda": torch.version.cuda}
    return values


def status_bytes(field):
    with open("/proc/self/status") as status:
        return int(re.search(rf"{field}:\s*(\d+) kB", status.read()).group(1)) * 1024


def measure(function, warmup, repetitions, device="cpu"):
    """Runs `function`; returns its last result and the times and peak memory of the runs.

    Linux only: writing 5 to clear_refs sets the process's peak back to what is resident now.
    """
    on_gpu = device == "cuda"
    finish = torch.cuda.synchronize if on_gpu else lambda: None
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
        resident = torch.cuda.memory_allocated()
    else:
        with open("/proc/self/clear_refs", "w") as clear:
            clear.write("5")
        resident = status_bytes("VmRSS")
    for _ in range(warmup):
        function()
    seconds, cpu_seconds = [], []
    for _ in range(repetitions):
        result = None  # the last result's memory is free before the next run
        finish()
        start, cpu_start = time.perf_counter(), time.process_time()
        result = function()
        finish()
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu_start)
    peak = torch.cuda.max_memory_allocated() if on_gpu else status_bytes("VmHWM")
    return result, {
        "median_seconds": statistics.median(seconds),
        "min_seconds": min(seconds),
        "max_seconds": max(seconds),
        "cpu_seconds": statistics.median(cpu_seconds),
        "peak_bytes": peak - resident,
    }


def report(values, as_json):
    """Prints a result, without what has no value."""
    values = {name: value for name, value in values.items() if value is not None}
    values |= {"torch": torch.__version__, "threads": torch.get_num_threads()}
    if as_json:
        print(json.dumps(values), flush=True)
        return
    for name, value in values.items():
        print(f"{name:>16}  {value:.6g}" if isinstance(value, float) else f"{name:>16}  {value}")
