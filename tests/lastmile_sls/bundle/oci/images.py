"""Makes small images to push."""

from __future__ import annotations

import random
from pathlib import Path, PurePosixPath

from lastmile_sls.bundle.oci.base_image import BaseImage, resolve_base
from lastmile_sls.bundle.oci.image import Image, assemble
from lastmile_sls.bundle.oci.image_config import ImageConfig
from lastmile_sls.bundle.oci.layer import make_layer
from tests.lastmile_sls.bundle.oci.bases import BaseFolder, no_credentials


def folder_base(folder: Path, name: str = "base", **config: object) -> BaseImage:
    """Make a base image in a folder."""
    base = BaseFolder(folder / name)
    base.tag(base.image(**config))  # type: ignore[arg-type]
    return resolve_base(f"oci:{base.folder}", "x86_64", folder / "cache", no_credentials)


def make_image(folder: Path, base: BaseImage, seed: int = 0, model: str = "model", size: int = 1000) -> Image:
    """Make an image of a runtime, the same for a seed, and a model of its own."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "runtime").write_bytes(random.Random(seed).randbytes(size))
    (source / "model").write_text(model)
    layers = [
        make_layer(source, PurePosixPath("/opt/app"), folder / "layers", files=[name], name=name)
        for name in ("runtime", "model")
    ]
    return assemble(base, layers, ImageConfig(), folder / f"image-{seed}-{model}")
