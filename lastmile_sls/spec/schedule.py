"""The spec's schedule: scoring files on a clock."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from lastmile_sls.spec.section import FOLDER, Section, rule


class Schedule(Section):
    """Work on a clock: every file in a folder that has no predictions yet is scored."""

    cron: Annotated[str, Field(description='When, in cron\'s five fields, UTC, such as "0 6 * * 1-5".')]
    input: Annotated[
        str,
        Field(
            pattern=FOLDER,
            description="Where the files are: a folder in the deployment's bucket, such as batch/in, or a URL of the "
            "target's object store, such as s3://bucket/folder.",
        ),
    ]
    output: Annotated[
        str,
        Field(
            pattern=FOLDER,
            description="Where each file gets a folder of its name, with its predictions and the rows that failed.",
        ),
    ]
    format: Annotated[
        Literal["csv", "jsonl", "parquet"],
        Field(description="What the files are; those whose names end otherwise are left alone."),
    ] = "csv"

    @field_validator("input", "output")
    @classmethod
    def _has_no_slash_at_its_end(cls, folder: str) -> str:
        return folder.rstrip("/")

    @field_validator("cron")
    @classmethod
    def _cron_is_one(cls, cron: str) -> str:
        from lastmile_sls.spec.cron import CronError, parse

        try:
            parse(cron)
        except CronError as error:
            raise rule("{message}", message=str(error)) from error
        return cron
