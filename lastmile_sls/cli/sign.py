"""`lastmile sign`: sign what was built, so that up and check can tell who did."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lastmile_sls.cli import options

if TYPE_CHECKING:
    from lastmile_sls.bundle.trust.signers import Signer

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("sign")
@options.spec_option
@options.target_option
@click.option("--key", type=_FILE, help="The private key: PEM, an elliptic curve.")
@click.option(
    "--certificate",
    type=_FILE,
    help="PEM: the certificate of the key, then those between it and its authority.",
)
@click.option(
    "--keyless",
    is_flag=True,
    help="Sign as whoever is logged in, with Sigstore. This has not been tried against Sigstore's servers.",
)
@click.option(
    "--new-key",
    type=click.Path(path_type=Path, file_okay=False),
    help="Make a pair of keys in this folder, and sign nothing.",
)
@options.json_option
def command(
    spec_path: Path | None,
    target: str,
    key: Path | None,
    certificate: Path | None,
    keyless: bool,
    new_key: Path | None,
    as_json: bool,
) -> None:
    """Sign the bundles that `lastmile build` wrote.

    A key's passphrase is asked for, or read from LASTMILE_SIGNING_PASSPHRASE.
    """
    if sum((new_key is not None, keyless, key is not None)) != 1 or (certificate and not key):
        raise click.UsageError("Give one of --key (with or without --certificate), --keyless, --new-key.")
    if new_key is not None:
        _make_key(new_key, as_json=as_json)
        return
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import find_plan, find_program
    from lastmile_sls.build.sign import sign_bundles

    program = find_program(find_spec(spec_path), as_target(target))
    signed = sign_bundles(program.folder, find_plan(program, "sign"), _signer(key, certificate))
    if as_json:
        options.print_json({"project": str(program.folder), "signed": signed})
        return
    click.echo(f"signed: {', '.join(signed)}")


def _signer(key: Path | None, certificate: Path | None) -> Signer:
    from lastmile_sls.bundle.trust.keys import passphrase_from
    from lastmile_sls.bundle.trust.signers import Certificate, Key, Keyless

    if key is None:
        return Keyless()
    signer = Key(key, passphrase_from(os.environ, _ask))
    return Certificate(signer, certificate) if certificate else signer


def _make_key(folder: Path, *, as_json: bool) -> None:
    from lastmile_sls.bundle.trust.keys import generate_key, passphrase_from

    asked = passphrase_from(os.environ, _ask_for_new)
    pair = generate_key(folder, asked(folder / "private.pem"))
    if as_json:
        options.print_json({"private": str(pair.private), "public": str(pair.public)})
        return
    click.echo(f"private key: {pair.private}\npublic key: {pair.public}")
    click.echo(f"name it in the spec: bundle: {{signature: {{key: {pair.public}}}}}", err=True)


def _ask_for_new(text: str) -> str:
    told = f"{text} (none: press Enter)"
    return str(click.prompt(told, default="", hide_input=True, show_default=False, confirmation_prompt=True))


def _ask(text: str) -> str:
    return str(click.prompt(text, hide_input=True))
