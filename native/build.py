"""Compiles the native evaluator for every processor that a function may have, from any of them, with the compiler in the
`ziglang` wheel; needs no Python headers and no system compiler."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

ZIGLANG = "ziglang==0.14.1"
"""Pinned: the same sources are the same bytes wherever they are built."""
PROCESSORS = ("x86_64", "aarch64")
HERE = Path(__file__).parent
TARGET = HERE.parent / "handlers" / "lastmile_runtime" / "native"
EVALUATOR = ("read.c", "evaluate.c", "transform.c")
# No multiplication and addition may become one operation: it rounds once, and only some processors have it.
FLAGS = ("-std=c11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror")
SANITIZERS = "fuzzer,address,undefined,float-cast-overflow"
# What C leaves undefined is an error, but for the division by zero: IEEE 754 defines it.
UNDEFINED = ("-fno-sanitize-recover=undefined,float-cast-overflow", "-fno-sanitize=float-divide-by-zero")
LIBRARY = ("-shared", "-nostdlib", "-rtlib=none", "-fvisibility=hidden", "-s")


def libraries(target: Path = TARGET) -> dict[str, Path]:
    """Return where the library of each processor is, or will be."""
    return {processor: target / processor / "_forest.abi3.so" for processor in PROCESSORS}


def is_current(target: Path = TARGET) -> bool:
    """Tell whether every library is there and newer than all it is made of."""
    sources = [*HERE.glob("*.[ch]"), Path(__file__)]
    newest = max(source.stat().st_mtime for source in sources)
    return all(path.exists() and path.stat().st_mtime >= newest for path in libraries(target).values())


def compile_c(
    processor: str, sources: list[Path], output: Path, *options: str, environ: Mapping[str, str] = os.environ
) -> None:
    """Compile C to a library or program. Raises CalledProcessError, the compiler's words on standard error."""
    output.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place and then moved there: a process that has the old one mapped keeps it.
    made = output.with_name(f".{output.name}.{os.getpid()}")
    command = [sys.executable, "-m", "ziglang", "cc", "-target", f"{processor}-linux-musl", *FLAGS, *options]
    try:
        subprocess.run([*command, "-o", str(made), *map(str, sources)], env=environ, check=True)
        made.replace(output)
    finally:
        made.unlink(missing_ok=True)


def build(target: Path = TARGET) -> None:
    """Compile the library of every processor. Raises CalledProcessError."""
    sources = [HERE / name for name in ("module.c", *EVALUATOR)]
    with TemporaryDirectory() as cache:
        environ = os.environ | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
        for processor, path in libraries(target).items():
            compile_c(processor, sources, path, *LIBRARY, environ=environ)


def build_driver(processor: str, output: Path) -> None:
    """Compile the program that evaluates files without Python. Raises CalledProcessError."""
    compile_c(processor, [HERE / name for name in ("driver.c", *EVALUATOR)], output)


def build_fuzzer(output: Path) -> None:
    """Compile the fuzzer, for this machine, with clang's own sanitizers. Raises CalledProcessError."""
    sources = [HERE / name for name in ("fuzz/fuzz.c", *EVALUATOR)]
    output.parent.mkdir(parents=True, exist_ok=True)
    options = (
        *("-std=c11", "-O1", "-g", "-ffp-contract=off", "-DFOREST_CHECKED"),
        *(f"-fsanitize={SANITIZERS}", *UNDEFINED),
    )
    subprocess.run(["clang", *options, "-o", str(output), *map(str, sources)], check=True)


def main() -> None:
    """Build what the command line says, the libraries if nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--requirement", action="store_true", help="print the requirement of the compiler's wheel"
    )
    what.add_argument("--driver", choices=PROCESSORS, help="build the program for tests without Python")
    what.add_argument("--fuzzer", action="store_true", help="build the fuzzer; needs clang")
    parser.add_argument("--output", type=Path, help="where to, if not into the runtime")
    arguments = parser.parse_args()
    if (arguments.driver or arguments.fuzzer) and not arguments.output:
        parser.error("--driver and --fuzzer need --output")
    if arguments.requirement:
        sys.stdout.write(f"{ZIGLANG}\n")
    elif arguments.driver:
        build_driver(arguments.driver, arguments.output)
    elif arguments.fuzzer:
        build_fuzzer(arguments.output)
    else:
        build(arguments.output or TARGET)


if __name__ == "__main__":
    main()
