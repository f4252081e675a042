"""What every bench begins with: the trained model, our bundles, built as a user builds them, and the peers' files."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.environments import BENCH, ROOT, EnvironmentFailure, Environments

MODEL = "bench"
INFER = f"/v2/models/{MODEL}/infer"
STICKY = {"x-user-id": "user-1"}
SUM = '''"""A plain class: the sum of each row."""


class Model:
    def predict(self, inputs):
        return {"total": [sum(row) for row in inputs["X"]]}
'''


PLAIN_ROW = [number * 1.37 for number in range(30)]
"""What the plain class, and the models that cost nothing, are sent."""


@dataclass(frozen=True)
class Bundle:
    """A built bundle and what its deployment would set."""

    folder: Path
    digest: str
    routing: dict[str, Any]
    """What the function answers by until it has read the live document."""
    document: dict[str, Any] | None
    """The live routing document; None when there is one version."""
    kind: str
    """`python`, a plain class; `onnx`, the trained model as ONNX; `sklearn`, as joblib wrote it, and `lightgbm`, the
    booster, both compiled."""

    def environ(self, store: str) -> dict[str, str]:
        """Return the function's environment; `store` is the URL of the object store with the live document."""
        found = {
            "LASTMILE_BUNDLE": str(self.folder),
            "LASTMILE_MANIFEST_DIGEST": self.digest,
            "LASTMILE_ROUTING": json.dumps(self.routing),
        }
        if self.document:
            found["LASTMILE_ROUTING_URL"] = f"{store}/{self.folder.name}/routing.json"
        return found


class Workshop:
    """Everything that is made once, in a folder that is kept between runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environments = Environments(folder)
        self.logs = folder / "logs"
        self.objects = folder / "objects"
        for path in (self.logs, self.objects):
            path.mkdir(exist_ok=True)
        self._bundles: dict[str, Bundle] = {}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the trainer said of the model and of the held-out row; the model is there from then on."""
        folder = self.folder / "model"
        python = self.environments.python("train")
        trainer, marker = BENCH / "train.py", folder / "train.py"
        if not marker.is_file() or marker.read_bytes() != trainer.read_bytes():
            print("==> training the model", file=sys.stderr, flush=True)
            folder.mkdir(exist_ok=True)
            done = subprocess.run(
                [str(python), str(trainer), str(folder)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise EnvironmentFailure(f"the model cannot be trained: {done.stderr.strip()[-1000:]}")
            shutil.copyfile(trainer, marker)
        facts: dict[str, Any] = json.loads((folder / "facts.json").read_text())
        return facts

    @cached_property
    def peers(self) -> Path:
        """The folder of the peers' services, with bytecode: nobody ships a container without."""
        folder = self.folder / "peers"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(BENCH / "peers", folder, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(folder, quiet=1)
        return folder

    @property
    def joblib(self) -> Path:
        """The trained model as the peers load it."""
        assert self.facts
        return self.folder / "model/model.joblib"

    @property
    def onnx(self) -> Path:
        """The trained model as ours, and a careful peer, load it."""
        assert self.facts
        return self.folder / "model/model.onnx"

    @property
    def booster(self) -> Path:
        """The booster of 500 trees, as LightGBM writes it."""
        assert self.facts
        return self.folder / "model/model.txt"

    def environ(self, **more: str) -> dict[str, str]:
        """Return an environment for any entry: nothing writes bytecode while a clock runs."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            **more,
        }

    def bundle(self, kind: str, versions: int, *, contract: bool = True) -> Bundle:
        """Return a bundle that `lastmile build` wrote.

        Args:
            kind: As in Bundle.
            versions: How many of the same; with two, 90 and 10 percent, and a live routing document.
            contract: Refuse what is missing or out of range.
        """
        name = f"{kind}-{versions}" + ("" if contract else "-free")
        if name not in self._bundles:
            self._bundles[name] = self._build(name, kind, versions, contract=contract)
        return self._bundles[name]

    def _build(self, name: str, kind: str, versions: int, *, contract: bool) -> Bundle:
        work = self.folder / "specs" / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        models = {"onnx": self.onnx, "sklearn": self.joblib, "lightgbm": self.booster}
        artifact = models[kind].name if kind in models else "model.py"
        if kind in models:
            shutil.copyfile(models[kind], work / artifact)
        else:
            (work / artifact).write_text(SUM)
        (work / "lastmile.yaml").write_text(
            json.dumps(self._spec(kind, versions, artifact, contract=contract))
        )
        done = _lastmile_build(work)
        built = json.loads(done)
        function = built["plan"]["functions"][0]
        folder = self.objects / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(Path(built["project"]) / function["bundle"]["path"], folder)
        document = built["plan"]["routing"] and built["plan"]["routing"]["content"]
        if document:
            (folder / "routing.json").write_text(json.dumps(document))
        return Bundle(folder, function["bundle"]["digest"], function["routing"], document, kind)

    def _spec(self, kind: str, versions: int, artifact: str, *, contract: bool) -> dict[str, Any]:
        """Return a spec, as JSON, which is YAML too: a contract that refuses, and a sticky key."""
        entry = {"entry": "Model"} if kind == "python" else {}
        ids = [f"v{number}" for number in range(1, versions + 1)]
        name, datatype = self._input(kind)
        row = self.row(kind)
        bounds = [min(row), max(row)] if kind == "python" else [self.facts["minimum"], self.facts["maximum"]]
        matrix = {"name": name, "datatype": datatype, "shape": [-1, len(row)]}
        # What scikit-learn trained on an array takes is a table whose columns have numbers for names.
        table = [{"name": f"x{index}", "datatype": datatype} for index in range(len(row))]
        rule = {"minimum": bounds[0], "maximum": bounds[1], "missing": "reject", "out_of_range": "reject"}
        columns = table if kind in ("sklearn", "lightgbm") else [matrix]
        inputs = [{**column, **(rule if contract else {})} for column in columns]
        outputs = [{"name": "total", "datatype": "FP64", "shape": [-1]}] if kind == "python" else []
        traffic: dict[str, Any] = {"champion": "v1", "sticky": {"header": next(iter(STICKY))}}
        if versions == 2:
            traffic["weights"] = {"v1": 90, "v2": 10}
        return {
            "name": MODEL,
            "owner": "bench",
            "cost_center": "bench",
            "versions": [
                {"id": id_, "artifact": artifact, "framework": kind, "trusted": True, **entry} for id_ in ids
            ],
            "traffic": traffic,
            "contract": {"inputs": inputs, "outputs": outputs},
            "endpoint": {"auth": "public"},
        }

    def _input(self, kind: str) -> tuple[str, str]:
        """Return the name and datatype of a model's one input."""
        known = {
            "onnx": (str(self.facts["input"]), "FP32"),
            "sklearn": ("input", "FP64"),
            "lightgbm": ("input", "FP64"),
        }
        return known.get(kind, ("X", "FP64"))

    def row(self, kind: str) -> list[float]:
        """Return the row that a kind of model is sent."""
        return PLAIN_ROW if kind == "python" else list(self.facts["row"])

    def request(self, bundle: Bundle) -> bytes:
        """Return an Open Inference Protocol request with the kind's row."""
        name, datatype = self._input(bundle.kind)
        row = self.row(bundle.kind)
        tensor = {"name": name, "shape": [1, len(row)], "datatype": datatype, "data": row}
        return json.dumps({"inputs": [tensor]}).encode()


def _lastmile_build(folder: Path) -> str:
    """Build the spec in a folder as a user does; return what it printed."""
    lastmile = Path(sys.executable).parent / "lastmile"
    if not lastmile.is_file():
        raise EnvironmentFailure(
            f"{lastmile} is not there. Run `make test` once, then this with .venv/bin/python."
        )
    command = [str(lastmile), "build", "--spec", "lastmile.yaml", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentFailure(f"`lastmile build` ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def our_answer(document: dict[str, Any]) -> float:
    """Return the number in an answer of ours: the probability of class 1, or the sum."""
    tensor = document["outputs"][-1]
    found: float = tensor["data"][-1]
    return found


def module_command(python: Path, module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module."""
    return [str(python), "-m", module, *arguments]


def shown(command: list[str]) -> str:
    """Return a command as one would type it, without this machine's folders."""
    words = [word.replace(str(ROOT), ".") for word in command]
    words[0] = Path(words[0]).name
    return " ".join(words)
