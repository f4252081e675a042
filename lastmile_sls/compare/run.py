"""Runs a comparison as it was asked for: looks at each target, measures on this machine, and prices all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

from lastmile_sls.compare.document import Comparison, Here
from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.traffic_file import Shape
from lastmile_sls.plan.document import Target

Tell = Callable[[str], None]


def memories(text: str | None) -> list[int]:
    """Return the sizes in a list such as `512,1024`, in MB; none for None. Raises LastmileError for what is no number."""
    found = []
    for word in (text or "").split(",") if text is not None else []:
        if not word.strip().isdecimal():
            raise LastmileError(
                f"--memory is {text!r}, but must be whole numbers of MB with commas between.",
                "Write it like this: --memory 512,1024,2048",
            )
        found.append(int(word))
    return found


def one_shape(shapes: Mapping[str, Shape], name: str | None) -> Shape:
    """Return the shape of the traffic that is compared. Raises LastmileError for another name, several, or no request."""
    if name is None and len(shapes) == 1:
        name = next(iter(shapes))
    if name is None or name not in shapes:
        named = ", ".join(filter(None, shapes))
        told = (
            "--traffic has several shapes, and one is compared"
            if name is None
            else f"there is no shape {name!r}"
        )
        raise LastmileError(
            f"{told}: {named}." if named else f"{told}: --traffic has no named ones.",
            "Name one: --shape NAME" if named else "Leave --shape out.",
        )
    shape = shapes[name]
    if shape.requests is None or shape.requests < 1:
        raise LastmileError(
            f"requests is {shape.requests}, but prices are compared from 1 request a month on.",
            "Write how many you expect. What a target costs while nobody calls is shown too.",
        )
    return shape


def run(
    spec_path: Path,
    targets: Sequence[Target],
    asked: Sequence[int],
    shape: Shape,
    environ: Mapping[str, str],
    today: date,
    *,
    environment: str | None = None,
    free_tier: bool = False,
    tell: Tell = lambda _: None,
) -> Comparison:
    """Return the comparison.

    Args:
        spec_path: The spec's file.
        targets: The clouds; none: all.
        asked: Memory sizes in MB; none: those that make sense.
        shape: The month's traffic.
        environ: The environment's variables.
        today: For how old prices are.
        environment: Of this environment and not of the spec's.
        free_tier: Take off what an account has free each month.
        tell: Told what is being done.

    Raises LastmileError for a wrong spec, size or traffic, and where no duration is given and none can be measured.
    """
    from lastmile_sls.build.prepare import find_program
    from lastmile_sls.compare.compare import Question, compare
    from lastmile_sls.compare.look import look, machine, measure_here
    from lastmile_sls.estimate.estimate import estimate
    from lastmile_sls.prices.shelf import open_book
    from lastmile_sls.spec.load import check_files, load
    from lastmile_sls.targets.compare import rows

    spec = load(spec_path, environment)
    check_files(spec, spec_path.resolve().parent)
    offers = look(spec, spec_path, targets, asked, environ, environment=environment, tell=tell)
    here, measured = (
        measure_here(spec, spec_path, environ, shape, tell)
        if any(offer.plan for offer in offers)
        else (Here(machine(), {}), None)
    )
    book = open_book(environ, [offer.target for offer in offers])
    price = partial(estimate, book=book, free_tier=free_tier)
    projects = {offer.target: find_program(spec_path, offer.target, environment).folder for offer in offers}
    tell("comparing")
    question = Question(spec, shape, price, here, today, measured, free_tier)
    return compare(offers, question, rows(spec, [offer.fit for offer in offers], projects))
