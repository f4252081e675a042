"""Fuzzes the readers of model files, guided by coverage: `fuzz_readers.py TARGET [libFuzzer options] [CORPUS...]`.

For half an hour, with what the corpus has as the start and what is found kept in another folder:

    mkdir found; python tests/fuzz/fuzz_readers.py lightgbm -max_total_time=1800 found tests/fuzz/corpus/lightgbm

It takes `pip install 'atheris>=3'`; targets.py has the targets, and `-help=1` lists the options. A finding ends it with
the input in `crash-...`; hand it over in place of the corpus to see it again. `-merge=1 tests/fuzz/corpus/lightgbm found`
adds to the corpus what covers more. MALLOC_PERTURB_=165 MALLOC_CHECK_=3 PYTHONMALLOC=malloc_debug watch over memory.
"""

from __future__ import annotations

import pickle
import random
import shlex
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

sys.path.insert(0, str(Path(__file__).parents[2]))

_TARGET = "--target="
TARGET = (sys.argv[1:] or [""])[0].removeprefix(_TARGET)
DEFAULTS = ("-timeout=10", "-rss_limit_mb=2048")
_GUIDES = {"mlflow": ["packaging", "yaml"], "torch": ["zipfile"]}
"""Others' modules that do a part of the reading, so that their coverage guides too."""

with atheris.instrument_imports(
    include=["lastmile_runtime", "lastmile_sls", *_GUIDES.get(TARGET, [])], enable_loader_override=False
):
    from tests.fuzz.targets import TARGETS, import_first


def main(program: str, name: str, options: list[str]) -> None:
    """Run libFuzzer, which ends the process."""
    if name not in TARGETS:
        raise SystemExit(f"the target is {name!r}, but must be one of {', '.join(TARGETS)}")
    target = TARGETS[name]
    import_first(name)
    if name == "pickle":
        for part in vars(pickle._Unpickler).values():
            if callable(part) and hasattr(part, "__code__"):
                atheris.instrument_func(part)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for beside, content in target.extra.items():
            (folder / beside).write_bytes(content)

        def mutate(content: bytes, max_size: int, seed: int) -> bytes:
            changed = target.mutate(
                content, random.Random(seed), lambda part: atheris.Mutate(part, len(part) + 64)
            )
            return changed[:max_size]

        # To merge, libFuzzer starts itself anew through a shell, and hands on what begins with two dashes.
        itself = shlex.join([sys.executable, program])
        atheris.Setup(
            [itself, _TARGET + name, *DEFAULTS, *options],
            lambda content: target.check(content, folder) and None,
            custom_mutator=mutate,
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[0], TARGET, sys.argv[2:])
