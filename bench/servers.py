"""The HTTP servers that are compared: ours and the peers, each with the trained model and with a model that costs nothing.

Each is started as its own documentation says, with its own defaults where the table does not say otherwise.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.environments import EnvironmentFailure
from bench.workshop import INFER, MODEL, STICKY, Workshop, module_command, our_answer

Kind = Literal["trained", "compiled", "booster", "noop"]
OURS = "ours"
DEFAULTS = "its defaults; no contract, no routing"


@dataclass
class Server:
    """One way to serve a model over HTTP."""

    name: str
    environment: str
    command: Callable[[Path, list[int]], list[str]]
    """From the environment's interpreter and three free ports, the first for HTTP."""
    shown: str
    switched_on: str
    path: str
    body: bytes
    read: Callable[[Any], float]
    """The number in the answer's document; raises LookupError, TypeError or ValueError where there is none."""
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    before: Callable[[Path], None] = field(default=lambda python: None)
    """Called once with the environment's interpreter."""
    headers: dict[str, str] = field(default_factory=dict)

    def environ_of(self, python: Path, ports: list[int]) -> dict[str, str]:
        """Return the whole environment of a process, its interpreter's scripts first on its path."""
        path = f"{python.parent}:{self.environ['PATH']}"
        return {**self.environ, "PATH": path, "PORT": str(ports[0])}

    def request(self, port: int, *, keep_alive: bool) -> bytes:
        """Return the request as it goes over the wire."""
        headers = {
            "host": f"127.0.0.1:{port}",
            "accept": "*/*",
            "user-agent": "bench",
            "content-type": "application/json",
            "content-length": str(len(self.body)),
            "connection": "keep-alive" if keep_alive else "close",
            **self.headers,
        }
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def ours(workshop: Workshop, store: str, kind: Kind, *, governed: bool = True) -> Server:
    """Return the runtime as Cloud Run starts it, with all that it does beside predicting, or without what it may not."""
    on = "a log line per request, digest check"
    if governed:
        on += ", contract (range, missing), sticky 90/10 routing with a document read over HTTP"
    versions = 2 if governed else 1
    bundled, told = {
        "trained": ("onnx", ", ONNX"),
        "compiled": ("sklearn", ", compiled trees"),
        "booster": ("lightgbm", ", compiled trees"),
        "noop": ("python", ""),
    }[kind]
    bundle = workshop.bundle(bundled, versions, contract=governed)
    name = OURS + told
    return Server(
        name if governed else f"{name}, 1 version, no contract",
        "ours",
        lambda python, _: module_command(python, "lastmile_runtime.adapters.gcp"),
        "python -m lastmile_runtime.adapters.gcp",
        on,
        INFER,
        workshop.request(bundle),
        our_answer,
        bundle.folder,
        workshop.environ(**bundle.environ(store)),
        headers=STICKY,
    )


def peers(workshop: Workshop, kind: Kind) -> list[Server]:
    """Return the servers of others that both benches compare."""
    return [
        fastapi(workshop, kind),
        litserve(workshop, kind),
        mlserver(workshop, kind, workers=False),
        mlserver(workshop, kind, workers=True),
        bentoml(workshop, kind),
        mlflow(workshop, kind),
    ]


def fastapi(workshop: Workshop, kind: Kind) -> Server:
    """Return FastAPI under uvicorn: what people write."""
    module = "fastapi_sklearn" if kind == "trained" else "fastapi_noop"
    return Server(
        "FastAPI + uvicorn" + (" + joblib + scikit-learn" if kind == "trained" else ""),
        "fastapi",
        lambda python, ports: module_command(python, "uvicorn", f"{module}:app", "--port", str(ports[0])),
        f"uvicorn {module}:app",
        "its defaults: pydantic's types, the access log; no contract, no routing",
        "/predict",
        _features(workshop, kind),
        _number("probability", kind),
        workshop.peers,
        workshop.environ(BENCH_MODEL=str(workshop.joblib)),
    )


def fastapi_onnx(workshop: Workshop) -> Server:
    """Return FastAPI with the ONNX model: what a careful person writes."""
    return Server(
        "FastAPI + uvicorn + ONNX Runtime",
        "fastapi-onnx",
        lambda python, ports: module_command(python, "uvicorn", "fastapi_onnx:app", "--port", str(ports[0])),
        "uvicorn fastapi_onnx:app",
        "its defaults: pydantic's types, the access log; no contract, no routing",
        "/predict",
        _features(workshop, "trained"),
        _number("probability", "trained"),
        workshop.peers,
        workshop.environ(BENCH_MODEL=str(workshop.onnx)),
    )


def litserve(workshop: Workshop, kind: Kind) -> Server:
    """Return LitServe."""
    script = "litserve_sklearn.py" if kind == "trained" else "litserve_noop.py"
    return Server(
        "LitServe",
        "litserve",
        lambda python, ports: [str(python), script, str(ports[0])],
        f"python {script}",
        DEFAULTS,
        "/predict",
        _features(workshop, kind),
        _number("probability", kind),
        workshop.peers,
        workshop.environ(BENCH_MODEL=str(workshop.joblib)),
    )


def bentoml(workshop: Workshop, kind: Kind) -> Server:
    """Return BentoML."""
    service = "bentoml_sklearn:Classifier" if kind == "trained" else "bentoml_noop:Total"
    home = workshop.folder / "bentoml"
    home.mkdir(exist_ok=True)
    return Server(
        "BentoML",
        "bentoml",
        lambda python, ports: module_command(python, "bentoml", "serve", service, "--port", str(ports[0])),
        f"bentoml serve {service}",
        f"{DEFAULTS}; usage reports off",
        "/predict",
        _features(workshop, kind),
        lambda document: float(document[1] if kind == "trained" else document),
        workshop.peers,
        workshop.environ(
            BENCH_MODEL=str(workshop.joblib), BENTOML_HOME=str(home), BENTOML_DO_NOT_TRACK="True"
        ),
    )


def mlserver(workshop: Workshop, kind: Kind, *, workers: bool) -> Server:
    """Return MLServer, with its pool of one worker process, which is its default, or without."""
    folder = workshop.folder / f"mlserver-{kind}"
    folder.mkdir(exist_ok=True)
    known = {
        "trained": ("mlserver_sklearn.SKLearnModel", workshop.joblib),
        "booster": ("mlserver_lightgbm.LightGBMModel", workshop.booster),
    }
    settings: dict[str, Any]
    if kind in known:
        implementation, path = known[kind]
        settings = {"implementation": implementation, "parameters": {"uri": str(path)}}
    else:
        shutil.copyfile(workshop.peers / "mlserver_noop.py", folder / "mlserver_noop.py")
        settings = {"implementation": "mlserver_noop.Total"}
    (folder / "model-settings.json").write_text(json.dumps({"name": MODEL, **settings}))
    row = _row(workshop, kind)
    request = {"inputs": [{"name": "X", "shape": [1, len(row)], "datatype": "FP32", "data": row}]}
    if kind == "trained":
        request["outputs"] = [{"name": "predict_proba"}]

    def command(python: Path, ports: list[int]) -> list[str]:
        """Return the command, after writing the ports where MLServer reads them."""
        names = ("http_port", "grpc_port", "metrics_port")
        ports_of: dict[str, Any] = dict(zip(names, ports, strict=True))
        if not workers:
            ports_of["parallel_workers"] = 0
        (folder / "settings.json").write_text(json.dumps({"host": "127.0.0.1", **ports_of}))
        return [str(python.parent / "mlserver"), "start", "."]

    return Server(
        "MLServer" if workers else "MLServer, no workers",
        "mlserver",
        command,
        "mlserver start ." if workers else "mlserver start . (parallel_workers: 0)",
        "its defaults: types, access log, metrics; no contract, no routing",
        f"/v2/models/{MODEL}/infer",
        json.dumps(request).encode(),
        our_answer,
        folder,
        workshop.environ(),
    )


def mlflow(workshop: Workshop, kind: Kind) -> Server:
    """Return MLflow's scoring server."""
    models = workshop.folder / "mlflow"
    name = "sklearn" if kind == "trained" else "noop"

    def save(python: Path) -> None:
        """Write the models as MLflow keeps them."""
        shutil.rmtree(models, ignore_errors=True)
        command = [str(python), str(workshop.peers / "mlflow_save.py"), str(workshop.joblib), str(models)]
        done = subprocess.run(command, env=workshop.environ(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise EnvironmentFailure(f"the model cannot be saved: {' '.join(done.stderr.split()[-30:])}")

    def command(python: Path, ports: list[int]) -> list[str]:
        where = ["-m", str(models / name), "-p", str(ports[0])]
        return module_command(python, "mlflow", "models", "serve", *where, "--env-manager", "local")

    def read(document: Any) -> float:
        found = document["predictions"][0]
        return float(found[1] if kind == "trained" else found)

    return Server(
        "MLflow",
        "mlflow",
        command,
        f"mlflow models serve -m {name} --env-manager local",
        f"{DEFAULTS}; no new environment",
        "/invocations",
        json.dumps({"inputs": [_row(workshop, kind)]}).encode(),
        read,
        workshop.folder,
        workshop.environ(),
        save,
    )


def _row(workshop: Workshop, kind: Kind) -> list[float]:
    return workshop.row("python" if kind == "noop" else "onnx")


def _features(workshop: Workshop, kind: Kind) -> bytes:
    return json.dumps({"features": _row(workshop, kind)}).encode()


def _number(name: str, kind: Kind) -> Callable[[Any], float]:
    return (lambda document: float(document[name][1])) if kind == "trained" else _total


def _total(document: Any) -> float:
    return float(document["total"])
