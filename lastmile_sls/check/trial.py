"""Starts a bundle under one contract, again and again, asks it, and measures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from lastmile_runtime.manifest import Manifest
from lastmile_sls.check import verdicts
from lastmile_sls.check.answers import Question, compare
from lastmile_sls.check.bundle import Copy
from lastmile_sls.check.checked import Check, Result, Start
from lastmile_sls.check.contract import Answer, Contract, Function, Setting, Status
from lastmile_sls.check.interpreter import Interpreter, isolate
from lastmile_sls.check.opened import Watch
from lastmile_sls.check.phases import Places, load_ms, phases
from lastmile_sls.check.process import NoAnswer
from lastmile_sls.check.profile import Origins, Profile, parse, top_levels
from lastmile_sls.check.run import Run

Tell = Callable[[str], None]


def version_ids(questions: Sequence[Question]) -> list[str]:
    """Return the versions that are asked, in order."""
    return list(dict.fromkeys(question.version for question in questions))


class Workshop:
    """What the starts of a bundle share."""

    def __init__(self, run: Run, manifest: Manifest, interpreter: Interpreter, scratch: Path) -> None:
        self.run = run
        self.manifest = manifest
        self.interpreter = interpreter
        self.python = isolate(interpreter, scratch / "python")
        self.copy = Copy(run.folder, scratch / "bundle")
        self.routing = json.dumps(run.routing)
        self._scratch = scratch
        self._numbers = count(1)

    def setting(self, tool: Path | None, *, profiles_imports: bool) -> Setting:
        """Return what the next start is started with."""
        scratch = self._scratch / f"start-{next(self._numbers)}"
        scratch.mkdir()
        self.copy.refresh()
        return Setting(
            folder=self.copy.folder,
            digest=self.run.digest,
            model=self.manifest.model,
            interpreter=self.interpreter,
            python=self.python,
            given_python=self.run.interpreter,
            tool=tool,
            packages=self.run.packages,
            scratch=scratch,
            memory_mb=self.run.memory_mb,
            timeout_s=self.run.timeout_s,
            startup_s=self.run.longest_startup_s,
            routing=self.routing,
            environment=self.run.environment,
            entry=self.run.entry,
            profiles_imports=profiles_imports,
        )

    def places(self, version: str, contract: Contract, tool: Path | None) -> Places:
        """Return where a start's files are whose first answer is a version's."""
        artifact = next(found.artifact for found in self.manifest.versions if found.id == version)
        folder = (self.copy.folder / artifact).parent
        models = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        return Places(self.copy.folder, tuple(models), contract.client_folders(tool))

    def origins(self, contract: Contract, tool: Path | None) -> Origins:
        """Return where a start's modules can come from."""
        client = top_levels(tool).union(*map(top_levels, contract.client))
        libraries = self.manifest.libraries
        packages = top_levels(self.copy.folder) | top_levels(self.run.packages)
        packages |= top_levels(self.copy.folder / libraries) if libraries else frozenset()
        if self.run.target == "local":
            packages |= top_levels(self.interpreter.packages)
        return Origins(self.interpreter.standard_library, client, packages)


@dataclass
class Trial:
    """The starts of a bundle under one contract."""

    workshop: Workshop
    contract: Contract
    tool: Path | None
    questions: list[Question]
    tell: Tell
    starts: list[Start] = field(default_factory=list)
    memory_bytes: int = 0
    profile: Profile | None = None
    no_answer: NoAnswer | None = None
    """Why a start gave no first answer."""
    answers: dict[str, verdicts.Answers] = field(default_factory=dict)
    findings: list[Check] = field(default_factory=list)

    def run(self, starts: int, *, profiles_imports: bool) -> None:
        """Start it as often as is wanted: the first time it is asked everything, then its first question alone."""
        self.answers = {id_: verdicts.Answers(id_) for id_ in version_ids(self.questions)}
        if self.contract.template:
            self.workshop.copy.add(self.workshop.copy.folder / self.contract.template)
        try:
            for number in range(1, starts + 1):
                self.tell(f"{self.contract.title}: start {number} of {starts}")
                start, _ = self._start(asks_all=number == 1)
                self.starts.append(start)
        except NoAnswer as error:
            self.no_answer = error
            return
        if profiles_imports:
            self.tell(f"{self.contract.title}: start with the import profile")
            self._profile()

    def _start(self, *, asks_all: bool, profiles_imports: bool = False) -> tuple[Start, Profile | None]:
        """Start it once. Raises NoAnswer when there is no first answer."""
        setting = self.workshop.setting(self.tool, profiles_imports=profiles_imports)
        first = self.questions[0]
        places = self.workshop.places(first.version, self.contract, self.tool)
        with Watch(places.folders) as watch, self.contract.launch(setting) as function:
            process = function.process
            answer = function.ask(first.path(setting.model), first.body(), setting.timeout_s)
            memory_bytes = process.peak_memory_bytes()
            if not profiles_imports:
                self._compare(function, first, answer, is_repeated=not asks_all)
            if asks_all:
                self._ask_rest(function, setting)
            self.memory_bytes = max(self.memory_bytes, memory_bytes, process.peak_memory_bytes())
            if asks_all:
                self._finish(function)
        began, started_at = process.began, function.started_at
        found = phases(
            began,
            answer.at,
            watch.touches,
            places,
            load_ms=load_ms(answer.headers),
            started=started_at if self.workshop.run.target == "aws" else None,
        )
        total_ms = (answer.at - began) * 1000
        startup_ms = None if started_at is None else (started_at - began) * 1000
        start = Start(total_ms, startup_ms, found, memory_bytes)
        if not profiles_imports:
            return start, None
        imports = parse(process.errors, began, found)
        return start, Profile(total_ms, found, imports, self.workshop.origins(self.contract, self.tool))

    def _ask_rest(self, function: Function, setting: Setting) -> None:
        """Ask what is left; after a question without an answer nothing more, as the next one would have none either."""
        for place, question in enumerate(self.questions[1:], start=1):
            try:
                answer = function.ask(question.path(setting.model), question.body(), setting.timeout_s)
            except NoAnswer as error:
                self.answers[question.version].note_none(error)
                for left in self.questions[place + 1 :]:
                    self.answers[left.version].unasked += 1
                return
            self._compare(function, question, answer)

    def _compare(
        self, function: Function, question: Question, answer: Answer, *, is_repeated: bool = False
    ) -> None:
        began = time.perf_counter()
        compared = compare(question, answer)
        took_s = time.perf_counter() - began
        words = function.process.last_words() if answer.status >= 500 else ""
        self.answers[question.version].note(compared, took_s, is_repeated=is_repeated, words=words)

    def _finish(self, function: Function) -> None:
        if any(answers.no_answer for answers in self.answers.values()):
            return
        for finding in function.finish():
            status: Status = "passed" if finding.passed else "failed"
            self.findings.append(Check(finding.name, status, finding.message))

    def _profile(self) -> None:
        try:
            _, self.profile = self._start(asks_all=False, profiles_imports=True)
        except NoAnswer as error:
            told = f"with the import profile it gave no answer: {error.message}"
            self.findings.append(Check("import profile", "skipped", told))

    def result(self) -> Result:
        """Return what was measured."""
        return Result(
            self.contract.name, self.contract.title, tuple(self.starts), self.memory_bytes, self.profile
        )

    def checks(self, budget_ms: float | None) -> list[Check]:
        """Return what was found, each under this contract's name."""
        run, result = self.workshop.run, self.result()
        found = [verdicts.of_first_answer(run.target, result, self.no_answer)]
        found += [answers.check() for answers in self.answers.values()]
        found += self.findings
        if self.no_answer is None:
            found += verdicts.of_startup(run.target, result)
            found.append(verdicts.of_memory(result, run.memory_mb))
            found += verdicts.of_budget(result, budget_ms)
        return [replace(check, contract=self.contract.name) for check in found]
