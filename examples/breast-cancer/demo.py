"""The main job, end to end on this machine: train, deploy, predict over HTTP, compare with the model itself.

Run by `make demo`. Ends with a curl line to paste; exits 1 if a prediction differs.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import joblib
import numpy as np

FOLDER = Path(__file__).parent
SPEC = FOLDER / "lastmile.yaml"
LASTMILE = Path(sys.executable).with_name("lastmile")
ROWS = 8
TOLERANCE = 1e-6
NAMES = {0: "malignant", 1: "benign"}


def main() -> int:
    train()
    say("lastmile up: bundle the models, write the Pulumi program, run it")
    lastmile("up")
    url, key = lastmile("url", capture=True), lastmile("key", capture=True)
    rows, labels = held_out()
    say(f"predicting {ROWS} rows of the held-out split at {url}")
    largest = max(compare(url, key, version, rows, labels) for version in ("v1", "v2"))
    print(f"\nlargest difference to the models' own predict_proba: {largest:.1e} (allowed: {TOLERANCE})")
    if largest > TOLERANCE:
        print("the deployment does not predict what the models predict", file=sys.stderr)
        return 1
    say("the stack")
    lastmile("status")
    say("try it yourself")
    print(curl(url))
    say("what next")
    here, command = shown(FOLDER), shown(LASTMILE)
    steps = {
        f"{command} logs -f {here}": "what the function says",
        f"ls {here}/.lastmile/dev-local": "the Pulumi program that made this: yours to read, commit, change",
        f"{command} preview -f {here}": "after a change to lastmile.yaml: what `up` would do",
        f"{command} init YOUR-MODEL.joblib": "a spec for a model of your own",
        f"{command} destroy -f {here}": "remove it all",
    }
    for line, meaning in steps.items():
        print(f"  {line:58} {meaning}")
    return 0


def train() -> None:
    trained = FOLDER / "models" / "challenger.joblib"
    if trained.exists():
        return
    say("training the champion and the challenger")
    subprocess.run([sys.executable, FOLDER / "train.py"], check=True)


def lastmile(command: str, *, capture: bool = False) -> str:
    words = [shown(LASTMILE), command, "-f", shown(FOLDER)]
    run = subprocess.run(words, check=False, text=True, stdout=subprocess.PIPE if capture else None)
    if run.returncode:
        sys.exit(run.returncode)  # it has told why
    return run.stdout.strip() if capture else ""


def held_out() -> tuple[list[list[float]], list[int]]:
    with (FOLDER / "models" / "held_out.csv").open() as file:
        rows = list(csv.reader(file))[1 : 1 + ROWS]
    return [[float(value) for value in row[:-1]] for row in rows], [int(row[-1]) for row in rows]


def compare(url: str, key: str, version: str, rows: list[list[float]], labels: list[int]) -> float:
    """Predict the rows with one version over HTTP, print them, and return the largest difference to the model's own."""
    artifact = {"v1": "champion", "v2": "challenger"}[version]
    model: Any = joblib.load(FOLDER / "models" / f"{artifact}.joblib")
    own = model.predict_proba(np.array(rows))
    call = urllib.request.Request(
        f"{url}/v2/models/breast-cancer/infer",
        data=json.dumps(request(rows)).encode(),
        headers={"x-api-key": key, "x-model-version": version, "content-type": "application/json"},
    )
    with urllib.request.urlopen(call, timeout=60) as response:
        outputs = {output["name"]: output for output in json.load(response)["outputs"]}
        answered_by = response.headers["x-model-version"]
    answered = np.array(outputs["predict_proba"]["data"]).reshape(own.shape)
    print(f"\n  {version}, answered by {answered_by}")
    print("  row  predicted   P(benign)  true class")
    for index, (label, proba) in enumerate(zip(labels, answered, strict=True)):
        print(f"  {index:3}  {NAMES[int(proba[1] >= 0.5)]:10}  {proba[1]:9.4f}  {NAMES[label]}")
    return float(np.abs(answered - own).max())


def request(rows: list[list[float]]) -> dict[str, Any]:
    """Return an Open Inference Protocol v2 request for rows of features."""
    data = [value for row in rows for value in row]
    tensor = {"name": "input", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": data}
    return {"inputs": [tensor]}


def curl(url: str) -> str:
    body = FOLDER / "request.json"
    body.write_text(json.dumps(request(held_out()[0][:1])) + "\n")
    key = f"$({shown(LASTMILE)} key -f {shown(FOLDER)})"
    return f'curl -s {url}/v2/models/breast-cancer/infer -H "x-api-key: {key}" -d @{shown(body)}'


def shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def say(what: str) -> None:
    print(f"\n==> {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
