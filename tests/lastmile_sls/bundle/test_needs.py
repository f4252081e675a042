"""What a function must have installed."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_runtime.manifest import Version
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.needs import are_met, installed_here, needs
from lastmile_sls.compile.choose import Choice
from lastmile_sls.plan.document import Target
from tests.lastmile_sls.specs import make_spec

MARKERS = Environment("3.13", "x86_64", "manylinux_2_34").markers
HERE = {
    "scikit-learn": "1.9.1",
    "onnxruntime": "1.32.0",
    "xgboost-cpu": "3.2.0",
    "pandas": "2.3.0",
    "fastapi": "0.120",
}


def asked(
    *predictors: str,
    requirements: tuple[str, ...] = (),
    frame: bool = False,
    target: Target = "aws",
    is_router: bool = True,
    here: dict[str, str] = HERE,
    **spec: Any,
) -> list[str]:
    versions = [
        {"id": f"v{number}", "artifact": "m", "framework": "sklearn", "requirements": list(requirements)}
        for number, _ in enumerate(predictors)
    ]
    made = make_spec(versions=versions, traffic={"champion": "v0"}, **spec)
    chosen = {
        f"v{number}": Choice(Version(f"v{number}", predictor, "m", frame=frame), [], [], None)
        for number, predictor in enumerate(predictors)
    }
    return needs(made, target, list(chosen), chosen, MARKERS, here.get, is_router=is_router)


@pytest.mark.parametrize("predictor", ["trees", "pipeline", "remote"])
def test_compiled_models_need_nothing_whatever_they_were_trained_with(predictor: str) -> None:
    assert asked(predictor, requirements=("scikit-learn==1.5.2", "torch")) == []


def test_what_no_requirement_names_is_taken_as_it_is_installed_here() -> None:
    assert asked("sklearn") == ["scikit-learn==1.9.1"]
    assert asked("onnx", "sklearn") == ["onnxruntime==1.32.0", "scikit-learn==1.9.1"]
    assert asked("xgboost") == ["xgboost-cpu==3.2.0"]
    assert asked("lightgbm") == ["lightgbm"]  # it is not here, so any will do
    assert asked("sklearn", frame=True) == ["pandas==2.3.0", "scikit-learn==1.9.1"]


def test_requirements_win() -> None:
    assert asked("sklearn", requirements=("Scikit_Learn>=1.5,<1.6",)) == ["Scikit_Learn<1.6,>=1.5"]
    assert asked("xgboost", requirements=("xgboost==3.0",)) == ["xgboost==3.0"]
    assert asked("python", requirements=("a", 'b; python_version < "3.12"')) == ["a"]
    assert asked("python", requirements=('a; python_version >= "3.12"',)) == ["a"]


def test_the_application_and_tokens_are_the_routers() -> None:
    assert asked("trees", endpoint={"app": "app.py:app"}) == ["fastapi==0.120"]
    assert asked("trees", endpoint={"app": "app.py:app"}, is_router=False) == []
    jwt = {"auth": "jwt", "jwt": {"issuer": "https://login.example.com", "audiences": ["a"]}}
    assert asked("trees", endpoint=jwt, target="gcp") == ["pyjwt[crypto]"]
    assert asked("trees", endpoint=jwt, target="aws") == []  # its gateway verifies them


def test_work_that_waits_is_kept_in_the_bucket_and_pub_sub_proves_who_pushes_it() -> None:
    schedule = {"cron": "0 6 * * *", "input": "batch/in", "output": "batch/out"}
    works: tuple[dict[str, Any], ...] = ({"queue": {}}, {"schedule": schedule})
    for work in works:
        assert asked("trees", **work, target="local") == []
        assert asked("trees", **work, target="aws", here={"obstore": "0.12.1"}) == ["obstore==0.12.1"]
        assert asked("trees", **work, target="azure") == ["obstore"]
        assert asked("trees", **work, target="gcp") == ["obstore", "pyjwt[crypto]"]
        assert asked("trees", **work, target="gcp", is_router=False) == []


def test_what_is_met_here() -> None:
    assert are_met(["scikit-learn==1.9.1", "pandas>=2"], HERE.get)
    assert not are_met(["scikit-learn==1.5.2"], HERE.get)
    assert not are_met(["torch"], HERE.get)
    assert are_met([f"pytest=={installed_here('pytest')}"], installed_here)
    assert installed_here("no-such-package") is None


def test_what_scores_parquet_reads_it_with_pyarrow() -> None:
    schedule = {"cron": "0 6 * * *", "input": "in", "output": "out"}
    assert asked("trees", target="local", schedule={**schedule, "format": "parquet"}) == ["pyarrow"]
    assert asked("trees", target="local", schedule=schedule) == []
    assert asked("trees", schedule={**schedule, "format": "parquet"}, is_router=False) == []
