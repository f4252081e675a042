"""The user's own application: which files go into a bundle, and what is refused, without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.bundle.app import app_files
from lastmile_sls.errors import LastmileError

ALONE = "Move both into a folder, say service, and give its path; imports then begin with the folder's name."
BOMB = "raise SystemExit('it was run')\n"


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_a_file_beside_the_spec_is_taken_alone(tmp_path: Path) -> None:
    folder = write(
        tmp_path, **{"app.py": BOMB + "import json, fastapi\napp = 1\n", "other.py": "", "v1.onnx": ""}
    )
    assert app_files("app.py:app", folder) == {"app/app.py": folder / "app.py"}


def test_a_file_in_a_folder_is_taken_with_it(tmp_path: Path) -> None:
    files = {
        "service/api/main.py": BOMB + "from service.api.parts import app\n",
        "service/api/parts.py": "",
        "service/templates/page.html": "",
        "service/.env": "SECRET=1",
        "service/.git/config": "",
        "service/api/__pycache__/main.cpython-311.pyc": "",
        "service/old.pyc": "",
        "models/v1.onnx": "",
    }
    found = app_files("service/api/main.py:app", write(tmp_path, **files))
    names = ["service/api/main.py", "service/api/parts.py", "service/templates/page.html"]
    assert found == {f"app/{name}": tmp_path / name for name in names}


@pytest.mark.parametrize(
    "source",
    [
        "app = FastAPI()",
        "app: FastAPI = make()",
        "first = app = make()",
        "(app, other) = make()",
        "async def app(scope, receive, send): ...",
        "def app(scope): ...",
        "class app: ...",
        "from service import app",
        "from service import api as app",
        "import app",
        "import app.parts",
        "from service import *",
        "if True:\n    app = 1",
        "try:\n    app = 1\nexcept OSError:\n    pass",
        "with open('x') as app:\n    pass",
        "(app := 1)",
    ],
)
def test_a_name_may_be_bound_in_any_way(tmp_path: Path, source: str) -> None:
    write(tmp_path, **{"main.py": BOMB + source + "\n"})
    assert list(app_files("main.py:app", tmp_path)) == ["app/main.py"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def make():\n    app = 1",
        "class Made:\n    app = 1",
        "x = [app for app in y]",
        "print(app)",
        "x.app = 1",
    ],
)
def test_a_name_that_is_not_there_is_refused(tmp_path: Path, source: str) -> None:
    write(tmp_path, **{"main.py": source})
    with pytest.raises(LastmileError) as caught:
        app_files("main.py:app", tmp_path)
    assert caught.value.message == "endpoint.app is 'main.py:app', but main.py has no app."
    assert caught.value.hint == "Name what uvicorn is given: file.py:name."


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        (
            "api = 1\napps = 2",
            "endpoint.app is 'main.py:app', but main.py has no app.",
            "Did you mean apps, api?",
        ),
        (
            "app = (",
            "endpoint.app is 'main.py:app', but main.py is not Python: line 1: '(' was never closed.",
            "Correct the file.",
        ),
        (
            "from parts import router\napp = 1",
            "endpoint.app is 'main.py:app', which imports parts, but a file beside the spec is bundled alone.",
            ALONE,
        ),
        (
            "def late():\n    import package.inner\napp = 1",
            "endpoint.app is 'main.py:app', which imports package, but a file beside the spec is bundled alone.",
            ALONE,
        ),
    ],
    ids=["near", "syntax", "sibling", "package"],
)
def test_what_is_refused_says_what_to_change(tmp_path: Path, source: str, message: str, hint: str) -> None:
    write(tmp_path, **{"main.py": source, "parts.py": "", "package/__init__.py": "", "json.py": ""})
    with pytest.raises(LastmileError) as caught:
        app_files("main.py:app", tmp_path)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    for name in ("app.py", "folder.py"):
        with pytest.raises(LastmileError) as caught:
            app_files(f"{name}:app", tmp_path)
        told = f"endpoint.app is '{name}:app', but there is no such file ({tmp_path / name})."
        assert (caught.value.message, caught.value.hint) == (told, "Paths are relative to the spec.")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"app = 1\0")
    with pytest.raises(LastmileError, match=r"^endpoint\.app is 'app\.py:app', but app\.py is not Python: "):
        app_files("app.py:app", tmp_path)
