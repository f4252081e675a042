"""A check's result as JUnit XML, in the form that Jenkins, GitLab and GitHub's reporters read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from lastmile_sls.check.checked import Check, Checked

# XML 1.0, 2.2: what a document may not hold, such as a terminal's colours.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(checked: Checked) -> str:
    """Return a suite for the bundle and one per contract, each with a case per check."""
    return join([checked])


def join(found: Iterable[Checked]) -> str:
    """Return the suites of several bundles as one document."""
    suites = ET.Element("testsuites", name="lastmile check")
    everything: list[Check] = []
    for checked in found:
        _add_suites(suites, checked)
        everything += checked.checks
    _count(suites, everything)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def render_suite(
    title: str, name: str, classname: str, facts: Mapping[str, str], checks: Sequence[Check]
) -> str:
    """Return one suite as a document: a case per check, with facts as its properties."""
    suites = ET.Element("testsuites", name=title)
    suites.append(_suite_of(name, classname, facts, checks))
    _count(suites, checks)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add_suites(suites: ET.Element, checked: Checked) -> None:
    contracts = [None, *(result.contract for result in checked.results)]
    contracts += [check.contract for check in checked.checks if check.contract not in contracts]
    for contract in dict.fromkeys(contracts):
        checks = [check for check in checked.checks if check.contract == contract]
        if checks:
            suites.append(_suite(checked, contract, checks))


def _suite(checked: Checked, contract: str | None, checks: Sequence[Check]) -> ET.Element:
    name = contract or "bundle"
    facts = {"target": checked.target, "digest": checked.digest, "python": checked.python}
    for result in checked.results:
        if result.contract == contract and result.median:
            facts["first_answer_ms"] = f"{result.median.first_answer_ms:.1f}"
            facts["memory_bytes"] = str(result.memory_bytes)
    classname = f"lastmile.check.{checked.model}.{name.replace(' ', '-')}"
    return _suite_of(f"{checked.model} {name}", classname, facts, checks)


def _suite_of(name: str, classname: str, facts: Mapping[str, str], checks: Sequence[Check]) -> ET.Element:
    suite = ET.Element("testsuite", name=_text(name))
    _count(suite, checks)
    properties = ET.SubElement(suite, "properties")
    for key, value in facts.items():
        ET.SubElement(properties, "property", name=key, value=_text(value))
    for check in checks:
        suite.append(_case(check, classname))
    return suite


def _case(check: Check, classname: str) -> ET.Element:
    case = ET.Element(
        "testcase", classname=_text(classname), name=_text(check.name), time=f"{check.duration_s:.3f}"
    )
    match check.status:
        case "failed":
            told = "\n".join(filter(None, (check.message, check.detail, check.advice)))
            failure = ET.SubElement(case, "failure", message=_text(check.message), type="CheckFailure")
            failure.text = _text(told)
        case "skipped":
            ET.SubElement(case, "skipped", message=_text(check.message))
        case "passed":
            ET.SubElement(case, "system-out").text = _text(check.message)
    return case


def _count(element: ET.Element, checks: Sequence[Check]) -> None:
    statuses = [check.status for check in checks]
    element.set("tests", str(len(checks)))
    element.set("failures", str(statuses.count("failed")))
    element.set("errors", "0")
    element.set("skipped", str(statuses.count("skipped")))
    element.set("time", f"{sum(check.duration_s for check in checks):.3f}")


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
