"""Where the live routing document of a deployment on this machine lies."""

from __future__ import annotations

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.stores import open_store
from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records
from lastmile_sls.local.home import Place
from lastmile_sls.local.resources.bucket import bucket_folder
from lastmile_sls.traffic.live import LiveTraffic


def find_traffic(place: Place) -> LiveTraffic | None:
    """Return the traffic of a deployment; None when it has one version, and so nothing to route."""
    document = records.get(place, "document", "routing")
    if document is None:
        return None
    folder = bucket_folder(place, document.inputs["bucket"])
    return LiveTraffic(open_store(folder.as_uri()), document.inputs["path"], deployed_versions(place))


def require_traffic(place: Place) -> LiveTraffic:
    """Return the traffic of a deployment. Raises LastmileError when there is nothing to route."""
    found = find_traffic(place)
    if found is None:
        raise LastmileError(
            f"{place.deployment} has one version, so there is no traffic to move.",
            "Add a version to the spec and run `lastmile up`.",
        )
    return found


def deployed_versions(place: Place) -> list[str]:
    """Return the ids of the versions between which the router's function routes, in its bundle's order."""
    found: dict[str, None] = {}
    functions = records.all_of(place, "function")
    called = {name for record in functions for name in record.inputs.get("calls") or ()}
    for record in functions:
        if record.name in called:
            continue
        digest = record.inputs["bundleDigest"]
        try:
            manifest = Bundle(str(place.bundle(record.name, digest)), digest).manifest
        except BundleError as error:
            raise LastmileError(
                f"the bundle of {record.name} cannot be read: {error}", "Run `lastmile up`."
            ) from error
        found |= dict.fromkeys(version.id for version in manifest.versions)
    return list(found)
