"""The pack that is written out: it needs nothing of ours but what is in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.policy_pack import write_pack
from tests.lastmile_policy.planted import POLICY

IMPORTED = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from lastmile_sls.policy import parameters, verdict
loaded = parameters.load(Path(sys.argv[1]) / "lastmile.policy.yaml")
ours = [module for name, module in sys.modules.items() if name.startswith("lastmile")]
print(json.dumps([loaded.functions.max_memory_mb, [module.__file__ for module in ours]]))
"""


def test_it_runs_on_its_own_copy_of_the_rules(tmp_path: Path) -> None:
    pack = tmp_path / "a" / "pack"
    assert write_pack(pack, POLICY) == [pack / "venv"]
    assert sorted(path.name for path in pack.iterdir()) == [
        "PulumiPolicy.yaml",
        "README.md",
        "__main__.py",
        "lastmile.policy.yaml",
        "lastmile_sls",
        "requirements.txt",
    ]
    run = subprocess.run(
        [sys.executable, "-c", IMPORTED, str(pack)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    memory, files = json.loads(run.stdout)
    assert memory == 2048
    assert len(files) > 10
    assert all(Path(file).is_relative_to(pack / "lastmile_sls") for file in files)


def test_it_is_written_anew_and_keeps_what_is_the_users(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    write_pack(pack, None)
    assert "lastmile policy schema" in (pack / "lastmile.policy.yaml").read_text()
    (pack / "venv").mkdir()
    (pack / "__main__.py").write_text("broken")
    (pack / "lastmile.policy.yaml").write_text("functions: {max_memory_mb: 512}")
    assert write_pack(pack, None) == []
    assert "PolicyPack(" in (pack / "__main__.py").read_text()
    assert (pack / "lastmile.policy.yaml").read_text() == "functions: {max_memory_mb: 512}"
    write_pack(pack, POLICY)
    assert (pack / "lastmile.policy.yaml").read_bytes() == POLICY.read_bytes()


def test_another_folder_and_wrong_parameters_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(LastmileError) as caught:
        write_pack(tmp_path, None)
    assert caught.value.message == f"{tmp_path} is there already, and is no policy pack."
    assert caught.value.hint == "Name another folder with --to."
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("x: 1")
    with pytest.raises(LastmileError, match="x is not a parameter"):
        write_pack(tmp_path / "pack", wrong)
    assert not (tmp_path / "pack").exists()
