"""Signs a bundle and verifies that it is the one that was signed, in the form of OpenSSF model signing.

All files of the bundle are signed, its manifest among them, as `model_signing sign` does: so that tool verifies what is
signed here, and the other way round. A signature lies beside the bundle, never in it. It is another one each time.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import FILE
from lastmile_sls.bundle.trust import contents, signers
from lastmile_sls.bundle.trust.keys import private_pem, read_private_key
from lastmile_sls.bundle.trust.signers import (
    Certificate,
    Certificates,
    Key,
    PublicKey,
    Signer,
    Trusted,
)
from lastmile_sls.bundle.trust.statement import Signature, read
from lastmile_sls.errors import LastmileError

_DIFFERS = "Signature mismatch: "
"""How model_signing begins its error when a signature is right, and the files are not those that were signed."""
_SIGSTORE = "Sigstore takes the network; correct the trust configuration, where one is named."
_ALL = "Sign the bundle again, all of it."


@dataclass(frozen=True)
class Verified:
    """A bundle that is the one that was signed."""

    bundle_digest: str
    signer: str
    """Who signed it: the key's fingerprint, the certificate's subject, or the identity."""
    files: int
    """How many files the signature covers: all of the bundle's."""


def sign(bundle_folder: Path, destination: Path, signer: Signer, *, now: datetime) -> str:
    """Sign a bundle; return its digest.

    Args:
        bundle_folder: The bundle.
        destination: The signature's file, outside of the bundle; replaced when it is there.
        signer: What to sign with.
        now: The time, with its zone: a certificate must be valid.

    Raises LastmileError when the bundle is not that of its manifest, the key or certificate cannot be used, the package
    model-signing is missing, or Sigstore refuses.
    """
    if destination.resolve().is_relative_to(bundle_folder.resolve()):
        raise LastmileError(
            f"{destination} lies in the bundle, but a signature lies beside it.", "Name a file outside of it."
        )
    library = _library("signing")
    files = contents.require_whole(bundle_folder)
    with tempfile.TemporaryDirectory(prefix="lastmile-") as scratch:
        made = Path(scratch) / "signature.json"
        config = library.Config().set_hashing_config(_hashing())
        try:
            _use_signer(config, signer, Path(scratch), now).sign(bundle_folder, made)
        except LastmileError:
            raise
        except Exception as error:
            raise LastmileError(f"{bundle_folder} could not be signed: {_why(error)}.", _SIGSTORE) from error
        signature = read(made)
        if signature.files != files:
            raise LastmileError(
                f"{bundle_folder} changed while it was signed: {contents.compare(files, signature.files).told()}.",
                "Leave it alone, then sign it again.",
            )
        _write(destination, made.read_bytes())
    return signature.bundle_digest


def verify(bundle_folder: Path, signature_path: Path, trusted: Trusted, *, now: datetime) -> Verified:
    """Verify that somebody who is trusted signed a bundle, and that it is still what they signed.

    Args:
        bundle_folder: The bundle.
        signature_path: The signature's file.
        trusted: Who is trusted. Whether a certificate was revoked is not asked.
        now: The time, with its zone: certificates must be valid.

    Raises LastmileError, naming the files, when one was changed, added, removed or renamed; when the signature is
    another's, another bundle's, or none; when its certificate is not trusted or not valid; when model-signing is missing.
    """
    library = _library("verifying")
    signature = read(signature_path)
    signers.require_kind(signature_path, signature, trusted)
    with tempfile.TemporaryDirectory(prefix="lastmile-") as scratch:
        config = library.Config().set_hashing_config(_hashing())
        _use_verifier(config, signature_path, trusted, Path(scratch))
        copy = Path(scratch) / "signature.json"
        copy.write_bytes(signature.content)
        try:
            if isinstance(trusted, Certificates):
                signers.require_valid(str(signature_path), signers.certificates_of(signature), now)
            with contextlib.redirect_stdout(io.StringIO()):
                config.verify(bundle_folder, copy)
        except LastmileError:
            raise
        except Exception as error:
            if str(error).startswith(_DIFFERS):
                raise _differs(bundle_folder, signature_path, signature) from error
            raise LastmileError(
                f"{signature_path} is not trusted: {_why(error)}.",
                "Find out who changed or made it; sign the bundle again if it is yours.",
            ) from error
    _require_all(bundle_folder, signature_path, signature)
    return Verified(signature.bundle_digest, signers.told(signature, trusted), len(signature.files))


def _library(module: str) -> Any:
    """Import a module of model_signing, which takes 2 s, or say how to install it."""
    try:
        return importlib.import_module(f"model_signing.{module}")
    except ImportError as error:
        raise LastmileError(
            f"signatures need the package model-signing, which is not installed ({error}).",
            "Install it: pip install 'lastmile-sls[signing]'",
        ) from error


def _hashing() -> Any:
    """Return how files are hashed: all of them, also those of git that model_signing leaves out by default."""
    return _library("hashing").Config().set_ignored_paths(paths=[], ignore_git_paths=False)


def _use_signer(config: Any, signer: Signer, scratch: Path, now: datetime) -> Any:
    if isinstance(signer, Key):
        key = read_private_key(signer.path, signer.passphrase)
        with _as_path(private_pem(key)) as path:
            return config.use_elliptic_key_signer(private_key=path)
    if isinstance(signer, Certificate):
        chain = signers.read_chain(signer, now)
        leaf, others = scratch / "certificate.pem", scratch / "chain.pem"
        leaf.write_bytes(signers.pem(chain.certificates[:1]))
        # model_signing refuses a chain without certificates; the signer's own says nothing more.
        others.write_bytes(signers.pem(chain.certificates[1:] or chain.certificates))
        with _as_path(private_pem(chain.key)) as path:
            return config.use_certificate_signer(
                private_key=path, signing_certificate=leaf, certificate_chain=[others]
            )
    return config.use_sigstore_signer(use_ambient_credentials=True, trust_config=signer.trust_config)


def _use_verifier(config: Any, path: Path, trusted: Trusted, scratch: Path) -> None:
    """Have a configuration verify with what is trusted. Raises LastmileError where that cannot be used."""
    if isinstance(trusted, PublicKey):
        config.use_elliptic_key_verifier(public_key=trusted.path)
        return
    if isinstance(trusted, Certificates):
        if not trusted.paths:  # model_signing would trust all of the web's authorities
            raise LastmileError("no certificates are trusted.", "Name at least one file of certificates.")
        roots = scratch / "trusted.pem"
        roots.write_bytes(signers.pem(signers.read_certificates(trusted.paths)))
        config.use_certificate_verifier(certificate_chain=[roots])
        return
    named = {"identity": trusted.identity, "oidc_issuer": trusted.issuer}
    try:
        config.use_sigstore_verifier(**named, trust_config=trusted.trust_config)
    except Exception as error:
        raise LastmileError(f"{path} cannot be verified: {_why(error)}.", _SIGSTORE) from error


@contextlib.contextmanager
def _as_path(content: bytes) -> Iterator[Path]:
    """Yield a path from which a decrypted key can be read once; no disk ever holds it."""
    reader, writer = os.pipe()
    try:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(content)  # some hundred bytes, which every pipe holds
        yield Path(f"/dev/fd/{reader}")
    finally:
        os.close(reader)


def _differs(folder: Path, path: Path, signature: Signature) -> LastmileError:
    """Return the error for files that are not those of a signature: another bundle, or one that was changed."""
    found = contents.hash_files(folder)
    differences = contents.compare(signature.files, found)
    if not differences:
        return LastmileError(f"{path} names files that it says are to be left out.", _ALL)
    with contextlib.suppress(LastmileError):  # it may have no manifest that can be read
        manifest, digest = contents.read_manifest(folder)
        if digest != signature.bundle_digest and contents.files_of(manifest, digest) == found:
            return LastmileError(
                f"{path} is of the bundle {signature.bundle_digest}, but {folder} is {digest}.",
                "Sign this bundle, or take the one that was signed.",
            )
    return LastmileError(
        f"{folder} is not what was signed by {path}: {differences.told()}.",
        "Take the bundle from where it was signed, or find out who changed it and build it again.",
    )


def _require_all(folder: Path, path: Path, signature: Signature) -> None:
    """Require that a good signature covers every file: a signer may have left some out, which are then not looked at."""
    if left_out := sorted(set(contents.list_files(folder)) - set(signature.files)):
        raise LastmileError(f"{path} does not cover {', '.join(left_out)} in {folder}.", _ALL)
    wanted = contents.files_of(*contents.read_manifest(folder))
    if differences := contents.compare(wanted, signature.files):
        raise LastmileError(
            f"{path} is of a bundle that is not that of its {FILE}: {differences.told()}.",
            "Build the bundle again, then sign it.",
        )


def _why(error: Exception) -> str:
    """Return a library's error in words; that of a signature that does not fit has none."""
    return str(error).rstrip(".") or "it is not the signature of what it says, so it was changed or forged"


def _write(path: Path, content: bytes) -> None:
    half = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(content)
        half.replace(path)
    except OSError as error:
        raise LastmileError(
            f"{path} could not be written: {error.strerror}.", "Free space or mend the folder's rights."
        ) from error
