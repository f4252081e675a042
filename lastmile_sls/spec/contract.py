"""The spec's contract: what goes in, what comes out, and what happens to anything else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from lastmile_sls.spec.section import Section, rule

Datatype = Literal[
    "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64", "BYTES"
]  # fmt: skip
Action = Literal["accept", "reject", "impute", "fallback"]


class Column(Section):
    """One input or output of the model, what was seen of it in training, and what happens to anything else."""

    name: Annotated[str, Field(min_length=1, description="As the model names it.")]
    datatype: Annotated[Datatype, Field(description="The Open Inference Protocol's name of the type.")]
    shape: Annotated[tuple[int, ...], Field(min_length=1, description="-1 is the number of rows.")] = (-1,)
    minimum: Annotated[StrictFloat | None, Field(description="The smallest value seen.")] = None
    maximum: Annotated[StrictFloat | None, Field(description="The largest value seen.")] = None
    categories: Annotated[tuple[str, ...] | None, Field(description="The values seen.")] = None
    missing: Annotated[
        Action,
        Field(
            description="What happens where there is no value: accept (the answer says so), reject (422), "
            "impute (put `impute` in), fallback (answer contract.fallback)."
        ),
    ] = "accept"
    out_of_range: Annotated[Action, Field(description="The same, beyond minimum or maximum.")] = "accept"
    unknown: Annotated[Action, Field(description="The same, for a value not among categories.")] = "accept"
    impute: Annotated[
        StrictStr | StrictBool | StrictInt | StrictFloat | None, Field(description="The value to put in.")
    ] = None

    @model_validator(mode="after")
    def _impute_has_a_value(self) -> Column:
        if "impute" in (self.missing, self.out_of_range, self.unknown) and self.impute is None:
            raise rule("needs impute, the value to put in, where an action is impute")
        return self


class Contract(Section):
    """What goes in and what comes out."""

    inputs: Annotated[tuple[Column, ...], Field(description="The model's inputs, in its order.")] = ()
    outputs: Annotated[tuple[Column, ...], Field(description="The model's outputs.")] = ()
    fallback: Annotated[
        dict[str, Any] | None,
        Field(description="What is answered for each row, by output, where an action is fallback."),
    ] = None

    @field_validator("inputs", "outputs")
    @classmethod
    def _names_differ(cls, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        names = [column.name for column in columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise rule("has the name {name} twice. Give each its own", name=twice[0])
        return columns

    @model_validator(mode="after")
    def _fallback_has_an_answer(self) -> Contract:
        for column in self.inputs:
            if "fallback" in (column.missing, column.out_of_range, column.unknown) and not self.fallback:
                raise rule(
                    "needs fallback, an answer by output, because {name} has the action fallback",
                    name=repr(column.name),
                )
        return self
