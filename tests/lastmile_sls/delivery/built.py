"""Makes images as `lastmile build` leaves them: own layers in a folder, those of the base elsewhere."""

from __future__ import annotations

import random
from pathlib import Path, PurePosixPath

from lastmile_sls.bundle.oci.base_image import BaseImage, resolve_base
from lastmile_sls.bundle.oci.image import assemble
from lastmile_sls.bundle.oci.image_config import ImageConfig
from lastmile_sls.bundle.oci.layer import make_layer
from lastmile_sls.bundle.oci.push import push
from lastmile_sls.delivery.stored_image import BUNDLE
from tests.lastmile_sls.bundle.oci.bases import no_credentials, sha256
from tests.lastmile_sls.bundle.oci.images import folder_base, make_image


def registry_base(folder: Path, address: str, cache: Path, name: str = "library/base") -> BaseImage:
    """Put a base image into a registry; return it as it is found there."""
    folder.mkdir(parents=True, exist_ok=True)
    push(make_image(folder, folder_base(folder)), f"{address}/{name}:1", no_credentials)
    return resolve_base(f"{address}/{name}:1", "x86_64", cache, no_credentials)


def build_image(folder: Path, base: BaseImage, model: str, size: int = 1000) -> dict[str, str]:
    """Write an image of a bundle of its own; return what an `Image` must know of it."""
    source = folder / f"source-{model}"
    source.mkdir(parents=True)
    (source / "model").write_bytes(random.Random(model).randbytes(size))
    digest = sha256(model.encode())
    layer = make_layer(source, PurePosixPath("/app"), folder / "layers", files=["model"], name="model")
    place = folder / f"{model}-{base.manifest.digest[7:15]}.image"
    assemble(base, [layer], ImageConfig(environment={BUNDLE: digest}), place)
    return {"source": str(place), "digest": digest}
