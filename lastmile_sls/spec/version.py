"""The spec's versions: one trained model each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, field_validator, model_validator

from lastmile_sls.spec.section import DIGEST, ID, Section, rule

ALIASES = ("champion", "challenger", "shadow")
Framework = Literal["sklearn", "xgboost", "lightgbm", "onnx", "python", "pytorch", "mlflow"]


class Version(Section):
    """One trained model."""

    id: Annotated[str, Field(pattern=ID, max_length=40, description="Names the version in URLs and logs.")]
    artifact: Annotated[
        str,
        Field(min_length=1, description="The model file: a path relative to this spec, or a URI."),
    ]
    framework: Annotated[Framework, Field(description="What the model was made with, and what runs it.")]
    entry: Annotated[str | None, Field(description="python only: the class in the artifact.")] = None
    sample: Annotated[
        str | None, Field(description="A CSV file with a header and rows as the model takes them.")
    ] = None
    requirements: Annotated[
        tuple[str, ...], Field(description="What the model was trained with, as pip writes it.")
    ] = ()
    frame: Annotated[
        StrictBool, Field(description="Give the model a pandas DataFrame instead of an array.")
    ] = False
    compiled: Annotated[
        StrictBool,
        Field(
            description="Serve it by a faster predictor that was proved to answer the same, where there is one. "
            "Default: true; false serves it by its own framework."
        ),
    ] = True
    trusted: Annotated[
        StrictBool,
        Field(
            description="The file may run any code when it is loaded, because it is your own. See lastmile init --trust."
        ),
    ] = False
    data: Annotated[
        str | None,
        Field(pattern=DIGEST, description="The digest of its training data, sha256:..., for its provenance."),
    ] = None
    description: Annotated[str, Field(max_length=500, description="For people.")] = ""

    @field_validator("id")
    @classmethod
    def _id_is_no_alias(cls, value: str) -> str:
        if value in ALIASES:
            raise rule(
                "is {id}, an alias that requests use; the aliases are {aliases}. Choose another",
                id=repr(value),
                aliases=", ".join(ALIASES),
            )
        return value

    @model_validator(mode="after")
    def _entry_is_for_python(self) -> Version:
        if (self.framework == "python") != (self.entry is not None):
            raise rule("needs entry, the class of a python artifact, with framework python and only there")
        return self
