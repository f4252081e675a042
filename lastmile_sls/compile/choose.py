"""Chooses what a version is served by: the fastest predictor that was proved to answer as the original does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lastmile_runtime import predictors
from lastmile_runtime.manifest import Version
from lastmile_sls.certification.compare import TOLERANCES, Report, certify, tensors_of
from lastmile_sls.certification.examples import Example, examples_apart, examples_of
from lastmile_sls.certification.rows import Row, generate
from lastmile_sls.compile import forest_file, pipeline_file
from lastmile_sls.compile.forest import CategorySplit, Forest, Split
from lastmile_sls.compile.pipeline import Pipeline
from lastmile_sls.compile.readers import FRAMEWORKS, read_estimator, read_file, sklearn_pipeline
from lastmile_sls.compile.refusal import CannotCompile
from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts


@dataclass(frozen=True)
class Candidate:
    """A compiled model on disk, not certified yet."""

    predictor: str
    """One of `lastmile_runtime.predictors.KINDS`."""
    files: list[Path]
    """The artifact first, and what lies beside it."""
    thresholds: dict[int, set[float]] = field(default_factory=dict)
    """Where it decides, by column; certification looks there."""
    categories: dict[int, list[int]] = field(default_factory=dict)
    precision: str | None = None
    """The datatype that it computes in, where that is less exact than its answers' own."""


@dataclass(frozen=True)
class Refused:
    """A faster predictor that was not taken, and why."""

    predictor: str
    why: str


@dataclass(frozen=True)
class Choice:
    """What a version is served by."""

    version: Version
    """The manifest's entry of it."""
    files: list[Path]
    """The artifact first, and what lies beside it."""
    refused: list[Refused]
    report: Report | None
    """The proof; None where the original itself is served."""
    examples: list[Example] = field(default_factory=list)
    """What the original answers to some rows; none where it cannot be asked here."""

    @property
    def size(self) -> int:
        """What it takes in the bundle (bytes)."""
        return sum(path.stat().st_size for path in self.files)


Attempt = Callable[[], Candidate]
_MOST_VALUES = 4096
"""Of one row of a matrix."""


def choose(
    original: Version,
    artifact: Path,
    columns: Sequence[ColumnFacts],
    scratch: Path,
    *,
    sample: Sequence[Row] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Compile a version, certify what came out, and fall back to the next predictor where that fails.

    Args:
        original: The version as its own framework serves it.
        artifact: Its file, which may be loaded.
        columns: What is known of its inputs.
        scratch: An empty folder for what is compiled.
        sample: Rows as the model takes them.
        tell: Told what is being done.
    """
    refused: list[Refused] = []
    proof = _Proof(original, artifact, columns, sample)
    for name, attempt in _attempts(original, artifact, scratch, proof.example):
        tell(f"compiling {original.id} to {name}")
        try:
            candidate = attempt()
            version = _compiled(original, candidate)
            tell(f"certifying {name} for {original.id}")
            report = proof.of(candidate, version)
        except CannotCompile as error:
            refused.append(Refused(name, error.why))
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the original can still be served
            kind = "" if isinstance(error, LastmileError) else f"{type(error).__name__}: "
            refused.append(Refused(name, f"{kind}{error}"))
        else:
            if report.passed:
                return Choice(version, candidate.files, refused, report, proof.examples())
            refused.append(Refused(name, f"it does not predict the same: {report.failure}"))
    return Choice(original, served_files(original.predictor, artifact), refused, None, proof.examples())


def as_it_is(
    original: Version, artifact: Path, columns: Sequence[ColumnFacts], sample: Sequence[Row] = ()
) -> Choice:
    """Return the choice to serve a version by its own framework."""
    examples = _Proof(original, artifact, columns, sample).examples()
    return Choice(original, served_files(original.predictor, artifact), [], None, examples)


class _Proof:
    """Compares candidates with the original, which is loaded once, by the first."""

    def __init__(
        self, original: Version, artifact: Path, columns: Sequence[ColumnFacts], sample: Sequence[Row]
    ) -> None:
        self._original = original
        self._artifact = artifact
        self._columns = columns
        self._sample = sample
        self._predict: predictors.Predict | None = None

    def of(self, candidate: Candidate, version: Version) -> Report:
        """Compare a candidate. Raises LastmileError when there is no way to."""
        rows = generate(
            _flat(self._columns),
            sample=self._sample,
            thresholds=candidate.thresholds,
            categories=candidate.categories,
        )
        compiled = predictors.load(str(candidate.files[0]), version)
        exact = TOLERANCES[candidate.precision] if candidate.precision else None
        return certify(self._load(), compiled, self._original, rows, at_least=exact)

    def examples(self) -> list[Example]:
        """Return what the original answers to the first rows of the sample, or to random ones; none where it does not."""
        try:
            (first, *_) = generate(_flat(self._columns), sample=self._sample)
        except LastmileError:
            return []
        if self._predict is None:
            return examples_apart(self._original, self._artifact, first.rows)
        return examples_of(self._predict, self._original, first.rows)

    def example(self) -> Row:
        """Return a row that the model takes. Raises LastmileError when it takes no rows."""
        (first, *_) = generate(_flat(self._columns), sample=self._sample)
        return first.rows[0]

    def _load(self) -> predictors.Predict:
        if self._predict is None:
            try:
                self._predict = predictors.load(str(self._artifact), self._original)
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                raise LastmileError(
                    f"the original cannot be loaded here ({why}), so nothing would prove that it predicts the same"
                ) from error
        return self._predict


def served_files(predictor: str, artifact: Path) -> list[Path]:
    """Return the files of a model that is served as it is: its own, and an ONNX model's weights beside it.

    Raises LastmileError for weights that lie outside of its folder.
    """
    if predictor != "onnx":
        return [artifact]
    from lastmile_sls.compile.onnx_external import external_files

    return [artifact, *external_files(artifact)]


def _attempts(
    original: Version, artifact: Path, scratch: Path, example: Callable[[], Row]
) -> Iterator[tuple[str, Attempt]]:
    """Return the predictors that can serve a framework's models, the fastest first."""
    outputs = [spec.name for spec in original.outputs]
    if original.predictor in FRAMEWORKS:
        yield "trees", lambda: _trees(read_file(artifact, original.predictor), scratch)
    if original.predictor == "sklearn":
        loaded: list[Any] = []

        def estimator() -> Any:
            if not loaded:
                import joblib

                loaded.append(joblib.load(artifact))
            return loaded[0]

        yield "trees", lambda: _trees(read_estimator(estimator(), outputs), scratch)
        yield "pipeline", lambda: _pipeline(sklearn_pipeline.read(estimator(), outputs), scratch)
        yield "onnx", lambda: _exported(original, estimator(), example(), scratch)
    if original.predictor == "onnx":
        yield "onnx", lambda: _optimized(artifact, scratch)


def _pipeline(pipeline: Pipeline, scratch: Path) -> Candidate:
    return Candidate("pipeline", pipeline_file.write(pipeline, scratch / "model.pipeline.json"))


def _optimized(artifact: Path, scratch: Path) -> Candidate:
    from lastmile_sls.compile.onnx_optimize import optimize

    return Candidate("onnx", optimize(artifact, scratch / "optimized.onnx"))


def _exported(original: Version, estimator: Any, example: Row, scratch: Path) -> Candidate:
    from lastmile_runtime.predictors.sklearn import rows_of
    from lastmile_sls.compile.onnx_export import export

    made = scratch / "exported.onnx"
    names = [spec.name for spec in original.outputs]
    precision = export(estimator, rows_of(tensors_of([example], original), original), made, names)
    candidate = _optimized(made, scratch)
    return replace(candidate, precision=precision)


def _trees(forest: Forest, scratch: Path) -> Candidate:
    path = scratch / "model.forest"
    path.write_bytes(forest_file.render(forest))
    thresholds: dict[int, set[float]] = {}
    categories: dict[int, set[int]] = {}
    for tree in forest.trees:
        for node in tree.nodes:
            if isinstance(node, Split):
                thresholds.setdefault(node.feature, set()).add(node.threshold)
            elif isinstance(node, CategorySplit):
                categories.setdefault(node.feature, set()).update(node.categories)
    return Candidate("trees", [path], thresholds, {key: sorted(found) for key, found in categories.items()})


def _flat(columns: Sequence[ColumnFacts]) -> list[ColumnFacts]:
    """Return what each value of a row is, also of a matrix.

    Raises LastmileError for inputs that are no rows of a known length, such as texts or pictures of any size.
    """
    if all(math.prod(column.shape[1:]) == 1 for column in columns):
        return list(columns)
    count = math.prod(columns[0].shape[1:])
    if len(columns) > 1 or not 0 < count <= _MOST_VALUES:
        raise LastmileError(
            "its inputs are no rows of a known length, so nothing would prove that it is right"
        )
    return [replace(columns[0], name=f"{columns[0].name}[{index}]", shape=(-1,)) for index in range(count)]


def _compiled(original: Version, candidate: Candidate) -> Version:
    """Return the manifest's entry of a compiled version: the same signature, another predictor and file."""
    folder = original.artifact.rpartition("/")[0]
    return Version(
        id=original.id,
        predictor=candidate.predictor,
        artifact=f"{folder}/{candidate.files[0].name}",
        columns=original.columns,
        inputs=original.inputs,
        outputs=original.outputs,
    )
