"""How the embedded engine says that it does not carry something."""

from __future__ import annotations

from lastmile_sls.engine.interface import EngineError


def refusal(what: str) -> EngineError:
    """Return the refusal of something that only the CLI carries."""
    return EngineError(
        f"the program uses {what}, which the embedded engine does not carry.",
        "Run it with the Pulumi CLI: lastmile up --engine pulumi (lastmile doctor says how to get it).",
    )
