"""Sends the images of a project to a registry."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lastmile_sls.build import package
from lastmile_sls.build.prepare import Prepared
from lastmile_sls.bundle.build import LAYOUTS, BuiltBundle
from lastmile_sls.bundle.cache import Cache, find_cache
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.cloud import form_of

Tell = Callable[[str], None]
_TAG_CHARACTERS = 12


def push_images(
    prepared: Prepared,
    spec_path: Path,
    repository: str,
    environ: Mapping[str, str],
    tell: Tell = lambda _: None,
) -> dict[str, str]:
    """Send each function's image to `repository/<function>`, tagged with its bundle's digest; return the references.

    The image is put together again from the locked base and the cached layers, which gives the bytes that were built.

    Raises LastmileError for a target that takes no images, and when the registry refuses or cannot be reached.
    """
    from lastmile_sls.bundle.oci.push import push
    from lastmile_sls.delivery.registry_login import registry_credentials

    target, spec = prepared.plan["target"], prepared.spec
    if form_of(target, spec) != "image" or prepared.environment is None:
        raise LastmileError(
            f"there is no image to push: {target} takes {form_of(target, spec) or 'a folder'}.",
            f"Write targets.{target}.package: image, or leave --push out."
            if target in ("aws", "azure")
            else "Leave --push out.",
        )
    root = find_cache(environ)
    folder = spec_path.resolve().parent
    base = package.find_base(target, spec, prepared.environment, folder, root, environ, tell)
    credentials = registry_credentials(environ, time.sleep)
    pushed = {}
    with tempfile.TemporaryDirectory(prefix="lastmile-") as scratch:
        for function in prepared.plan["functions"]:
            name, digest = function["name"], function["bundle"]["digest"]
            bundle = BuiltBundle(prepared.bundle(name), digest, place=LAYOUTS["local"].libraries)
            labels = package.labels_of(spec, name)
            image = package.assemble_image(bundle, target, base, Path(scratch) / name, Cache(root), labels)
            tag = digest.removeprefix("sha256:")[:_TAG_CHARACTERS]
            sent = push(image, f"{repository}/{name}:{tag}", credentials, tell)
            pushed[name] = f"{repository}/{name}:{tag}@{sent}"
    return pushed
