"""The spec's bundle: what is put together for a function, and what must be true of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from lastmile_sls.spec.section import PYTHON, Section
from lastmile_sls.spec.signature import Signature


class Bundle(Section):
    """What a function's bundle is made of."""

    python: Annotated[
        str | None,
        Field(
            pattern=PYTHON,
            description="The functions' Python, such as 3.13. Default: 3.13; on this machine, the one that runs lastmile.",
        ),
    ] = None
    bytecode: Annotated[
        Literal["compiled", "none"],
        Field(
            description="compiled: by an interpreter of the functions' version, so that no cold start has to. "
            "none: where no such interpreter can be found."
        ),
    ] = "compiled"
    signature: Annotated[
        Signature | None,
        Field(description="Who must have signed it; up and check refuse another. Default: nobody."),
    ] = None
    cold_start_budget_ms: Annotated[
        StrictInt | None,
        Field(
            ge=1, le=600_000, description="lastmile check fails when the first answer takes longer than this."
        ),
    ] = None
