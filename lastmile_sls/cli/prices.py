"""`lastmile prices`: the list prices that estimates are made from: show, list, refresh."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.progress import Progress
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from datetime import date

    from lastmile_sls.prices.book import Price
    from lastmile_sls.prices.refresh import Refreshed
    from lastmile_sls.prices.shelf import PriceList

_CLOUDS = ("aws", "gcp", "azure")
_targets = click.option(
    "--target",
    "targets",
    type=click.Choice(_CLOUDS),
    multiple=True,
    help="Of this cloud alone. Default: all.",
)
_GAP = "  "


@click.group("prices")
def command() -> None:
    """Say what the clouds' list prices are, where and when each was read, and read them anew: show, list, refresh."""


@command.command("list")
@_targets
@options.json_option
def list_(targets: tuple[str, ...], as_json: bool) -> None:
    """Say which lists there are, and how old they are."""
    from lastmile_sls import deploy
    from lastmile_sls.prices.shelf import age_warning, lists

    found, today = lists(deploy.environ(), targets or _CLOUDS), _today()
    if as_json:
        options.print_json([_list_json(one, today) for one in found])
        return
    for one in found:
        prices = one.prices()
        click.echo(f"{one.cloud}, {one.origin}: {_told(prices, today)}")
        if warning := age_warning(prices, today, one.cloud):
            click.echo(click.style(f"  {warning}", fg="yellow"))


@command.command("show")
@click.argument("meter", default="")
@_targets
@click.option("--region", metavar="REGION", help="Of this region alone.")
@options.json_option
def show(meter: str, targets: tuple[str, ...], region: str | None, as_json: bool) -> None:
    """Show the prices of a meter, or of all whose id begins so, such as aws.lambda."""
    from lastmile_sls import deploy
    from lastmile_sls.prices.shelf import age_warning, open_book

    cloud = meter.partition(".")[0]
    clouds = targets or ((cloud,) if cloud in _CLOUDS else _CLOUDS)
    book = open_book(deploy.environ(), clouds)
    found = [
        price
        for price in book.prices()
        if price.meter.startswith(meter) and (region is None or price.region in (region, "*"))
    ]
    if not found:
        where = f" in {region}" if region else ""
        known = f" --target {clouds[0]}" if len(clouds) == 1 else ""
        raise LastmileError(
            f"there is no price of {meter or 'any meter'}{where}.",
            f"What there is: lastmile prices show{known}\n"
            f"Read the cloud's own: lastmile prices refresh --target {clouds[0]} --region {region or 'REGION'}",
        )
    if as_json:
        options.print_json([price.to_json() for price in found])
        return
    _show(found)
    for one in clouds:
        mine = [price for price in found if price.meter.startswith(f"{one}.")]
        if warning := age_warning(mine, _today(), one):
            click.echo(click.style(warning, fg="yellow"), err=True)


@command.command("refresh")
@click.option("--target", type=click.Choice(_CLOUDS), required=True, help="The cloud.")
@click.option(
    "--region", "regions", metavar="REGION", multiple=True, required=True, help="May be given more than once."
)
@options.json_option
def refresh(target: str, regions: tuple[str, ...], as_json: bool) -> None:
    """Read a cloud's own prices of some regions, through its price API, and keep them for the estimates to come.

    AWS and Google ask who you are: their usual credentials, or GOOGLE_API_KEY. Azure does not.
    """
    from lastmile_sls import deploy
    from lastmile_sls.prices.refresh import refresh_cloud

    progress = Progress(quiet=as_json)
    with closing(progress):
        found = refresh_cloud(target, regions, deploy.environ(), _today(), progress.tell)
    if as_json:
        options.print_json(_refreshed_json(found))
        return
    click.echo(f"{_many(len(found.prices), 'price')} of {', '.join(regions)} read; kept in {found.path}")
    for change in found.changes:
        before = "new" if change.before is None else _tiers(change.before)
        click.echo(f"  {change.after.meter} in {change.after.region}: {before} -> {_tiers(change.after)}")
    if not found.changes:
        click.echo("  none of them has changed")
    for text in found.missing:
        click.echo(f"  {text}", err=True)


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()


def _told(prices: Sequence[Price], today: date) -> str:
    if not prices:
        return "no prices"
    dates = sorted(price.read for price in prices)
    regions = {price.region for price in prices} - {"*"}
    read = str(dates[0]) if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    unverified = sum(not price.verified for price in prices)
    doubtful = f", {unverified} that nobody could read at their source" if unverified else ""
    meters = {price.meter for price in prices}
    return (
        f"{_many(len(meters), 'meter')} in {_many(len(regions), 'region')}, {_many(len(prices), 'price')} in "
        f"{prices[0].currency}, read {read} (the oldest {(today - dates[0]).days} days ago){doubtful}"
    )


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _show(prices: Sequence[Price]) -> None:
    """Print a line for each price, and its source below where the terminal has room for neither beside the other."""
    headings = ("meter", "region", "a unit", "unit", "free", "read")
    rows = [
        (
            price.meter,
            price.region,
            _tiers(price),
            price.unit,
            f"{price.free:f}" if price.free else "",
            f"{price.read}{'' if price.verified else ' (unverified)'}",
        )
        for price in prices
    ]
    widths = [max(len(row[n]) for row in (headings, *rows)) for n in range(len(headings))]
    width, source = shutil.get_terminal_size((140, 24)).columns, None
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        click.echo(_line(headings, widths))
        for price, row in zip(prices, rows, strict=True):
            if price.source != source:
                source = price.source
                click.echo(click.style(source, dim=True))
            click.echo(_line(row, widths))
        return
    for price, (meter, region, tiers, unit, free, read) in zip(prices, rows, strict=True):
        click.echo(f"{meter} in {region}: {price.name}")
        click.echo(f"  {tiers} {price.currency} per {unit}{f', {free} free' if free else ''}, read {read}")
        click.echo(f"  {price.source}")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _tiers(price: Price) -> str:
    """Return a unit's price, `0.0000133334, 0.0000120001 from 7500000000`."""
    first, *others = price.tiers
    told = [f"{first.price.normalize():f}"]
    told += [f"{tier.price.normalize():f} from {tier.start.normalize():f}" for tier in others]
    return ", ".join(told)


def _list_json(one: PriceList, today: date) -> dict[str, Any]:
    prices = one.prices()
    dates = sorted(price.read for price in prices)
    return {
        "cloud": one.cloud,
        "origin": one.origin,
        "currency": one.document["currency"],
        "meters": len({price.meter for price in prices}),
        "regions": sorted({price.region for price in prices}),
        "prices": len(prices),
        "unverified": sum(not price.verified for price in prices),
        "oldest": dates[0].isoformat() if dates else None,
        "newest": dates[-1].isoformat() if dates else None,
        "oldest_days": (today - dates[0]).days if dates else None,
    }


def _refreshed_json(found: Refreshed) -> dict[str, Any]:
    return {
        "path": str(found.path),
        "prices": [price.to_json() for price in found.prices],
        "changes": [
            {
                "meter": change.after.meter,
                "region": change.after.region,
                "before": None if change.before is None else change.before.to_json()["tiers"],
                "after": change.after.to_json()["tiers"],
            }
            for change in found.changes
        ],
        "told": list(found.missing),
    }
