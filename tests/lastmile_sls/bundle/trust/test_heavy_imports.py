"""Nothing heavy is imported before it is needed, and what is missing says how to install it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lastmile_runtime
import lastmile_sls.bundle.trust
from lastmile_sls.bundle.trust.keys import KeyPair
from lastmile_sls.bundle.trust.signature import sign, verify
from lastmile_sls.bundle.trust.signers import Key, PublicKey
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.trust.pki import NOW

PACKAGE = Path(lastmile_sls.bundle.trust.__file__).parent
HEAVY = ("OpenSSL", "cryptography", "cyclonedx", "in_toto_attestation", "model_signing", "sigstore")


def test_importing_the_package_imports_nothing_heavy() -> None:
    modules = [path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    program = "import sys\n" + "".join(f"import lastmile_sls.bundle.trust.{name}\n" for name in modules)
    program += f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(modules) > 8
    assert done.stdout == "[]\n"


def test_the_function_never_imports_it() -> None:
    for source in Path(lastmile_runtime.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & {*HEAVY, "lastmile_sls"}, source


@pytest.mark.parametrize("missing", ["model_signing", "OpenSSL"])
def test_without_the_extra_it_says_what_to_install(
    bundle: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("model_signing", missing)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)  # importing it then fails, as if it were not there
    path = bundle.with_name("signature.json")
    for attempt in (
        lambda: sign(bundle, path, Key(keys.private), now=NOW),
        lambda: verify(bundle, path, PublicKey(keys.public), now=NOW),
    ):
        with pytest.raises(LastmileError) as refused:
            attempt()
        assert refused.value.message.startswith(
            "signatures need the package model-signing, which is not installed ("
        )
        assert missing in refused.value.message
        assert refused.value.hint == "Install it: pip install 'lastmile-sls[signing]'"
