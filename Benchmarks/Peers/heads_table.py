"""Makes the table of heads and losses: each trained on the same frozen features, with several seeds.

    python heads_table.py --weft ../../.build/release/weft --encoder MODEL --data TRAIN.jsonl \\
        --dev DEV.jsonl --test TEST.jsonl --output FOLDER

For every head, loss and seed `weft train` leaves a model below FOLDER, and `weft evaluate` says how
it does on the test part, which nothing was chosen by. All trainings share the features in
FOLDER/features. A command that was interrupted goes on where it was; a model that is there is
taken as it is, if its recipe is the one asked for. `--torch` has train_head.py do the same, by the
same recipe, for comparison; its reports stay in FOLDER as JSON.

The table: the numbers that are learned; F1 on the development part at the best epoch, and on the
test part by that epoch's heads, means over the seeds and sample standard deviations; the best
epochs; the median seconds of an epoch, the development part included.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = {"globalpointer": "GlobalPointer", "efficient": "Efficient", "zlpr": "ZLPR", "bce": "cross-entropy"}


def run(command):
    """A command's standard output; what it says besides is for the person who waits."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with status {done.returncode}")
    return done.stdout


def head_parameters(model, prefix):
    """How many numbers of a model are not the encoder's, from the header of its safetensors file."""
    with open(model / "model.safetensors", "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(entry["shape"]) for name, entry in header.items()
               if name != "__metadata__" and not name.startswith(prefix))


def options_of(case):
    return [text for name, value in case.items() for text in (f"--{name.replace('_', '-')}", str(value))]


def shared_recipe(arguments):
    return {"epochs": arguments.epochs, "batch": arguments.batch, "learning_rate": arguments.learning_rate}


def train_with_weft(arguments, case, name):
    model = Path(arguments.output) / name
    description = model / "globalpointer.json"
    if not description.exists():
        run([arguments.weft, "train", "--encoder", arguments.encoder, "--data", arguments.data, "--dev", arguments.dev,
             "--task", "entities", "--output", str(model), "--features", str(Path(arguments.output) / "features"),
             "--resume", *options_of(case | shared_recipe(arguments)), *arguments.train_option])
    description = json.loads(description.read_text())
    recipe = description["training"]["recipe"]
    wanted = case | {"epochs": arguments.epochs, "batch_size": arguments.batch,
                     "learning_rate": arguments.learning_rate}
    if any(recipe[field] != value for field, value in wanted.items()):
        sys.exit(f"{model}: holds a model of another recipe; name another --output")
    epochs = [json.loads(line) for line in open(model / "history.jsonl")]
    test = json.loads(run([arguments.weft, "evaluate", "--json", "--model", str(model), arguments.test]))
    return {
        "parameters": head_parameters(model, description["encoder_prefix"]),
        "dev": max(epoch["f1"] for epoch in epochs),
        "test": test["micro"]["f1"],
        "best_epoch": description["training"]["best_epoch"],
        "seconds": [epoch["seconds"] + epoch["dev_seconds"] for epoch in epochs],
    }


def train_with_torch(arguments, case, name):
    path = Path(arguments.output) / f"{name}.json"
    if not path.exists():
        report = run([sys.executable, str(HERE / "train_head.py"), "--encoder", arguments.encoder,
                      "--data", arguments.data, "--dev", arguments.dev, "--test", arguments.test,
                      "--features", str(Path(arguments.output) / "features"),
                      *options_of(case | shared_recipe(arguments)), *arguments.train_option])
        path.write_text(report)
    report = json.loads(path.read_text())
    wanted = case | shared_recipe(arguments)
    if any(report[field] != value for field, value in wanted.items()):
        sys.exit(f"{path}: is of another recipe; name another --output")
    return {"parameters": report["parameters"], "dev": report["dev"]["f1"], "test": report["test"]["f1"],
            "best_epoch": report["best_epoch"], "seconds": [report["epoch_seconds"]]}


def spread(values):
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.4f}{deviation}"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    trainer = parser.add_mutually_exclusive_group(required=True)
    trainer.add_argument("--weft", help="the weft program")
    trainer.add_argument("--torch", action="store_true", help="train with PyTorch instead")
    for name in ("encoder", "data", "dev", "test", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--train-option", action="append", default=[], metavar="OPTION",
                        help="goes to the training as it is, e.g. --train-option=--device=cpu")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        parser.error("--seeds must be at least 1")
    if arguments.weft:
        arguments.weft = str(Path(arguments.weft).resolve())
    return arguments


def main():
    arguments = parse()
    Path(arguments.output).mkdir(parents=True, exist_ok=True)
    train = train_with_torch if arguments.torch else train_with_weft
    print("| head | loss | parameters | dev F1 | test F1 | best epochs | seconds an epoch |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for head in ("globalpointer", "efficient"):
        for loss in ("zlpr", "bce"):
            results = []
            for seed in range(arguments.seeds):
                print(f"{NAMES[head]}, {NAMES[loss]}, seed {seed}", file=sys.stderr, flush=True)
                case = {"head": head, "loss": loss, "seed": seed}
                results.append(train(arguments, case, f"{head}-{loss}-{seed}"))
            seconds = statistics.median(second for result in results for second in result["seconds"])
            columns = [NAMES[head], NAMES[loss], f"{results[0]['parameters']:,}",
                       spread([result["dev"] for result in results]), spread([result["test"] for result in results]),
                       ", ".join(str(result["best_epoch"]) for result in results), f"{seconds:.1f}"]
            print(f"| {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
