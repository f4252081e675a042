"""`Document`: an object that is made once, and whose content is then somebody else's to change."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lastmile_runtime.stores import Conflict, NotFound, StoreError, check_path
from lastmile_sls.delivery.patience import Backoff, Patience
from lastmile_sls.delivery.store import WRITABLE, open_for_deployer
from lastmile_sls.engine.properties import is_unknown
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import ResourceType, State, Values
from lastmile_sls.provider.schema import STRING, Schema, described

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store

ALLOWED_WITHIN_S = 600.0
"""A role takes up to ten minutes to hold
(learn.microsoft.com/azure/role-based-access-control/troubleshooting, 2026-11-29)."""
_ROLE = "Storage Blob Data Contributor"

Open = Callable[[str, Mapping[str, str], str | None], "Store"]


class Document(ResourceType):
    """It is not deleted with its resource: it is data, and goes when its bucket does."""

    schema = Schema(
        token="lastmile:index:Document",  # noqa: S106 - a type's name
        description="An object that is made once, and whose content is then somebody else's to change.",
        inputs={
            "url": described(
                STRING,
                "The folder: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX, file://FOLDER.",
                replaces=True,
            ),
            "path": described(STRING, "Its path there.", replaces=True),
            "content": described(STRING, "What it says when it is made; later changes are left alone."),
            "region": described(STRING, "Where a bucket of S3 is; by default as AWS's tools are told."),
        },
        outputs={"location": described(STRING, "The URL and the path.")},
        optional=frozenset({"region"}),
        not_compared=frozenset({"content", "region"}),
    )

    def __init__(
        self, environ: Mapping[str, str], patience: Patience, open_url: Open = open_for_deployer
    ) -> None:
        self._environ = environ
        self._patience = patience
        self._open = open_url

    def check(self, inputs: Values) -> list[tuple[str, str]]:
        """The URL must be one that can be written to, and the path must stay below it."""
        wrong = []
        url, path = inputs.get("url"), inputs.get("path")
        if url is not None and str(url).partition("://")[0] not in WRITABLE:
            known = ", ".join(WRITABLE)
            wrong.append(("url", f"url is {url!r}, but must begin with one of {known} and ://."))
        if path is not None:
            try:
                check_path(str(path))
            except StoreError as error:
                wrong.append(("path", str(error)))
        return wrong

    def planned(self, inputs: Values, before: Values) -> Values:
        """It lies where the inputs say, as far as they are known."""
        if is_unknown([inputs["url"], inputs["path"]]):
            return super().planned(inputs, before)
        return {"location": _location(inputs)}

    def create(self, urn: str, inputs: Values) -> tuple[str, Values]:
        """Write the content, unless there is one already."""
        content = str(inputs["content"]).encode()

        def write(store: Store) -> None:
            with contextlib.suppress(Conflict):
                store.put(inputs["path"], content, if_absent=True)

        self._do(inputs, write, "written")
        return _location(inputs), {"location": _location(inputs)}

    def update(self, urn: str, state: State, inputs: Values) -> Values:
        """Write the content if it is gone."""
        return self.create(urn, inputs)[1]

    def read(self, state: State) -> tuple[Values, Values] | None:
        """Look whether it is there."""
        if not state.outputs.get("url"):
            raise LastmileError(
                f"the document {state.id} cannot be imported.",
                "Leave it out of the import: the next up takes what is there as it is.",
            )
        found = True

        def look(store: Store) -> None:
            nonlocal found
            try:
                store.get(state.outputs["path"])
            except NotFound:
                found = False

        self._do(state.outputs, look, "read")
        inputs = {name: value for name, value in state.outputs.items() if name in self.schema.inputs}
        return (inputs, state.outputs) if found else None

    def delete(self, state: State) -> None:
        """Leave it."""

    def _do(self, inputs: Values, action: Callable[[Store], None], done: str) -> None:
        """Do something in the store; again, for a while, when Azure does not let us in: roles take their time."""
        backoff = Backoff(self._patience, ALLOWED_WITHIN_S)
        store: Store | None = None
        while True:
            try:
                store = store or self._open(inputs["url"], self._environ, inputs.get("region"))
                action(store)
            except StoreError as error:
                on_azure = str(inputs["url"]).startswith("az://")
                if on_azure and _is_refusal(error) and backoff.pause():
                    continue
                raise LastmileError(
                    f"the document {_location(inputs)} could not be {done}: {error}", _hint(inputs, error)
                ) from error
            else:
                return


def _location(inputs: Values) -> str:
    return f"{str(inputs['url']).rstrip('/')}/{inputs['path']}"


def _is_refusal(error: StoreError) -> bool:
    from obstore.exceptions import PermissionDeniedError

    return isinstance(error.__cause__, PermissionDeniedError)


def _hint(inputs: Values, error: StoreError) -> str:
    scheme = str(inputs["url"]).partition("://")[0]
    if not _is_refusal(error):
        return {
            "file": "Free space or mend the folder's rights, then run again.",
            "s3": "Check that the bucket is there, and its region; then run again.",
        }.get(scheme, "Check that the bucket is there; then run again.")
    account = str(inputs["url"]).removeprefix("az://").partition("/")[0]
    hints = {
        "az": f"Give whoever runs this the role {_ROLE} on the storage account {account}; it can take minutes to hold.",
        "s3": "Allow whoever runs this s3:PutObject and s3:GetObject there.",
        "gs": "Give whoever runs this the role Storage Object User there.",
    }
    return hints[scheme]
