"""Makes bundles' zips."""

from __future__ import annotations

from pathlib import Path

from lastmile_sls.bundle.archive import write_archive
from tests.lastmile_sls.bundle.oci.bases import sha256


def make_zip(folder: Path, content: str) -> dict[str, str]:
    """Write the zip of a bundle of its own; return what a package must know of it."""
    bundle = folder / f"bundle-{content}"
    bundle.mkdir(parents=True)
    manifest = f'{{"content": "{content}"}}'.encode()
    (bundle / "manifest.json").write_bytes(manifest)
    (bundle / "model").write_bytes(content.encode() * 200_000)
    write_archive(bundle, folder / f"{content}.zip", None, "packages")
    return {"source": str(folder / f"{content}.zip"), "digest": sha256(manifest)}
