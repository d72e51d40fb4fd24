"""What the three peers share: repeated timing, peak memory, and one way to print a result.

Every repetition does the whole timed work; warm-up runs are not timed. The peak is what the
runs, the first included, hold beyond the memory in use before them (inputs, model, PyTorch).
"""

import argparse
import json
import os
import re
import statistics
import time

import torch


def common_arguments(description, repetitions):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=repetitions)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser


def status_bytes(field):
    with open("/proc/self/status") as status:
        return int(re.search(rf"{field}:\s*(\d+) kB", status.read()).group(1)) * 1024


def measure(function, warmup, repetitions):
    """Runs `function`; returns its last result and the times and peak memory of the runs.

    Linux only: writing 5 to clear_refs sets the process's peak back to what is resident now.
    """
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")
    resident = status_bytes("VmRSS")
    for _ in range(warmup):
        function()
    seconds = []
    for _ in range(repetitions):
        result = None  # the last result's memory is free before the next run
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return result, {
        "median_seconds": statistics.median(seconds),
        "min_seconds": min(seconds),
        "max_seconds": max(seconds),
        "peak_bytes": status_bytes("VmHWM") - resident,
    }


def report(values, as_json):
    values = values | {"torch": torch.__version__, "threads": torch.get_num_threads()}
    if as_json:
        print(json.dumps(values))
        return
    for name, value in values.items():
        print(f"{name:>16}  {value:.6g}" if isinstance(value, float) else f"{name:>16}  {value}")
