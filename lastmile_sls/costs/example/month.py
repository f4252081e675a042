"""The invented month, charge by charge: the same each time, with what real bills have beside the usage of models. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from lastmile_sls.costs.example.charge import PLACE, Category, Charge, Resource
from lastmile_sls.costs.example.fleet import BUSY, CURRENCY, FIRST, FLEET, LAST, Cloud, Member
from lastmile_sls.costs.example.meters import LOST, METERS, Meter
from lastmile_sls.costs.example.names import resource
from lastmile_sls.costs.usage import Usage

_DISCOUNT = Decimal("0.83")
"""What a savings plan leaves of a function's list price."""
_CENT = Decimal("0.01")


def days() -> list[date]:
    """Return the month's days."""
    return [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


def charges() -> list[Charge]:
    """Return all charges of the month."""
    of_models = [charge for member in FLEET for day in days() for charge in _of_member(member, day)]
    return [*of_models, *_plan(of_models), *_untagged(), *_others(of_models)]


def usage() -> list[Usage]:
    """Return how often each version was asked on each day."""
    return [
        Usage(
            *(day, member.model, member.environment, version.id),
            requests(member, day) * version.percent // 100,
            version.duration_ms,
        )
        for day in days()
        for member in FLEET
        for version in member.versions
    ]


def requests(member: Member, day: date) -> int:
    """Return how often a model is asked on a day: less at weekends, and never quite the same."""
    percent = (38 if day.weekday() >= 5 else 100) * (100 + _wobble(member.deployment, day, 6)) // 100
    if member.model == "daylight" and day == BUSY:
        percent *= 9
    return member.requests * percent // 100


def _of_member(member: Member, day: date) -> Iterator[Charge]:
    for meter in METERS[member.cloud]:
        if (meter.only == "gateway" and not member.has_gateway) or (
            meter.only == "queue" and not member.has_queue
        ):
            continue
        for what, quantity in _quantities(member, meter, day):
            listed = (quantity * Decimal(meter.price)).quantize(PLACE)
            effective = (listed * _DISCOUNT).quantize(PLACE) if meter.planned else listed
            # A bucket's tags are on no bill of an account in which they were never switched on.
            tags = {} if member.model == "breast-cancer" and meter.resource == "bucket" else member.tags
            billed = Decimal(0) if meter.planned else effective
            names = (meter.service, meter.category, meter.name, meter.unit)
            price = Decimal(meter.price)
            yield Charge(day, member.cloud, *names, quantity, price, effective, billed, what, tags)


def _quantities(member: Member, meter: Meter, day: date) -> Iterator[tuple[Resource, Decimal]]:
    asked = requests(member, day)
    if meter.resource == "function" and member.apart:
        for version in member.versions:
            part = asked * version.percent // 100
            works = Decimal(part) * version.duration_ms / 1000 * member.memory_gb
            quantity = works if meter.measure == "gb_seconds" else Decimal(part)
            yield resource(member, "function", version.id), quantity.quantize(Decimal("0.0001"))
        return
    mean_ms = sum((v.duration_ms * v.percent for v in member.versions), Decimal(0)) / 100
    # Google rounds up to 100 ms, and Azure an instance's active time to 1 s, which several requests share.
    billed_ms = {"aws": mean_ms, "gcp": Decimal(100) / 4, "azure": Decimal(1000) / 16}[member.cloud]
    measures = {
        "requests": Decimal(asked),
        "gb_seconds": asked * billed_ms / 1000 * member.memory_gb,
        "log_gb": Decimal(asked) * Decimal("0.0000004"),
        "stored_gb": Decimal(6) / 31,
        "messages": Decimal(asked) * 3 / 10,
    }
    yield resource(member, meter.resource), measures[meter.measure].quantize(Decimal("0.0001"))


def _plan(of_models: list[Charge]) -> Iterator[Charge]:
    """Yield each day's fee of the savings plan: what it pays for, and a part that nobody used."""
    for day in days():
        used = sum(
            (c.effective for c in of_models if c.day == day and not c.billed and c.effective), Decimal(0)
        )
        fee = (used * Decimal("1.04")).quantize(PLACE)
        names = ("Savings Plans for Compute", "Compute", "ComputeSavingsPlan", "Hours")
        plan = Resource("arn:aws:savingsplans::123456789012:savingsplan/5ca1ab1e", "", "Savings Plan")
        yield Charge(day, "aws", *names, Decimal(24), fee / 24, Decimal(0), fee, plan, {}, "Purchase")


def _untagged() -> Iterator[Charge]:
    """Yield what nobody put tags on."""
    for day in days():
        for lost in LOST:
            quantity = Decimal(lost.quantity * (100 + _wobble(lost.meter, day, 9))) / 100
            cost = (quantity * lost.price).quantize(PLACE)
            names = (lost.service, lost.category, lost.meter, lost.unit)
            yield Charge(day, lost.cloud, *names, quantity, lost.price, cost, cost, lost.resource, {})


def _others(of_models: list[Charge]) -> Iterator[Charge]:
    """Yield a tax, a credit, an adjustment, and a correction of last month's usage."""
    billed = {cloud: sum((c.billed for c in of_models if c.cloud == cloud), Decimal(0)) for cloud in CURRENCY}
    tax = (billed["aws"] * Decimal("0.19")).quantize(_CENT)
    yield _fee(LAST, "aws", "AWS Lambda", "VAT", tax, "Tax")
    yield _fee(date(2026, 10, 5), "gcp", "Cloud Run", "Promotional credit", Decimal("-25.00"), "Credit")
    yield _fee(
        date(2026, 10, 20), "azure", "Azure Functions", "Service level refund", Decimal("-4.50"), "Adjustment"
    )
    late = next(c for c in of_models if c.cloud == "aws" and c.tags)
    cost = Decimal("-0.3500000000")
    yield Charge(
        *(
            date(2026, 10, 2),
            "aws",
            late.service,
            late.category,
            late.meter,
            late.unit,
            Decimal(-1),
            Decimal("0.35"),
        ),
        *(cost, cost, late.resource, late.tags),
        correction=True,
    )


def _fee(day: date, cloud: Cloud, service: str, meter: str, amount: Decimal, category: Category) -> Charge:
    names = (service, "Other", meter, "")
    return Charge(day, cloud, *names, Decimal(1), amount, amount, amount, None, {}, category)


def _wobble(name: str, day: date, most: int) -> int:
    """Return a whole number from -most to most that a name and a day always have."""
    drawn = int.from_bytes(hashlib.sha256(f"{name} {day}".encode()).digest()[:4], "big")
    return drawn % (2 * most + 1) - most
