"""Builds a project: models chosen, packages locked, bundles built, packaged for the target, documented."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.build import package
from lastmile_sls.build.documents import Origin, document_bundle
from lastmile_sls.build.inputs import key_of_inputs, tools_of
from lastmile_sls.build.record import Record, forget_record, state_of, write_record
from lastmile_sls.bundle.build import LAYOUTS, BuiltBundle
from lastmile_sls.bundle.cache import Cache, FileDigests, find_cache
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.dependencies.lock import FILE as LOCK
from lastmile_sls.bundle.dependencies.lock import LockedSet
from lastmile_sls.bundle.dependencies.lock_file import current_sets
from lastmile_sls.bundle.groups import build_bundles
from lastmile_sls.bundle.interpreter import find_interpreter
from lastmile_sls.bundle.libraries import ChangedError, Libraries, forget, prepare_libraries
from lastmile_sls.bundle.models import ChoiceStore, describe, free_of_framework, prepare_models
from lastmile_sls.bundle.needs import are_met, installed_here, needs
from lastmile_sls.bundle.trust.beside import folder_of
from lastmile_sls.compile.choose import Choice
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import size_of
from lastmile_sls.plan.cloud import Built, form_of
from lastmile_sls.plan.document import Target
from lastmile_sls.plan.grouping import Group, group_versions
from lastmile_sls.plan.make import bundle_path, make_plan
from lastmile_sls.program.write import write_program
from lastmile_sls.spec.model import Spec

if TYPE_CHECKING:
    from lastmile_sls.bundle.oci.base_image import BaseImage

Tell = Callable[[str], None]


class Builder:
    """Builds everything of one project."""

    def __init__(
        self,
        spec: Spec,
        spec_path: Path,
        target: Target,
        environment: Environment | None,
        environ: Mapping[str, str],
        place: Path,
        digests: FileDigests,
        tell: Tell,
    ) -> None:
        self._spec = spec
        self._folder = spec_path.resolve().parent
        self._origin = Origin(spec, spec_path, environment, environ)
        self._target = target
        self._environment = environment
        self._environ = environ
        self._place = place
        self._digests = digests
        self._tell = tell
        self._kind = form_of(target, spec)
        self._root = find_cache(environ)
        self._cache = Cache(self._root)

    def build(self, *, eject: bool, upgrade: bool, images: bool = True) -> Record:
        """Build, and return the record of it.

        Without `images` no image is made where the target takes one, and no base image looked for: that is enough to
        plan, and to preview.
        """
        markers = self._environment.markers if self._environment else _markers_here()
        group_versions(self._spec, markers)  # refuses what is no requirement before anything takes long
        base = self._base() if images else None
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            scratch = tempfile.TemporaryDirectory(prefix=".build-", dir=self._place.parent)
        except OSError as error:
            raise _unwritable(self._place, error) from error
        with scratch as name:
            record = self._build(Path(name), markers, base, eject=eject, upgrade=upgrade)
        self._cache.clean(time.time())
        return record

    def _build(
        self,
        scratch: Path,
        markers: Mapping[str, str],
        base: BaseImage | None,
        *,
        eject: bool,
        upgrade: bool,
    ) -> Record:
        spec, tell = self._spec, self._tell
        store = ChoiceStore(self._cache, self._digests, tools_of(self._digests))
        models = prepare_models(spec, self._folder, scratch, tell, store)
        groups = group_versions(spec, markers, free_of_framework(models))
        chosen = {model.version.id: model for model in models}
        locked = self._lock(groups, chosen, markers, upgrade=upgrade)
        interpreter = self._interpreter()
        built = self._bundles(groups, models, locked, interpreter, scratch)
        for function, bundle in built.items():
            package.require_fit(self._target, self._kind, function, bundle.folder)
        pinned = base.pinned if base else self._named_base()
        known = {name: Built(bundle.digest, size_of(bundle.folder), pinned) for name, bundle in built.items()}
        plan = make_plan(spec, self._target, groups, known, self._environment)
        forget_record(self._place)
        bundles = {bundle_path(name): bundle.folder for name, bundle in built.items()}
        write_program(plan, bundles, self._place, eject=eject)
        placed = {
            name: replace(bundle, folder=self._place / bundle_path(name)) for name, bundle in built.items()
        }
        packages = self._packages(base, placed)
        for group in groups:
            bundle = placed[group.function]
            mine = [chosen[id_] for id_ in group.versions]
            document_bundle(group.function, bundle, bundle.folder, mine, self._origin)
        self._remove_others(placed, packages)
        outputs = ["plan.json", *bundles, *packages.values()]
        record = Record(
            key_of_inputs(spec, self._folder, self._target, self._digests),
            {path: state_of(self._place / path) for path in outputs},
            packages,
            {name: bundle.libraries.system for name, bundle in built.items() if bundle.libraries},
            [describe(model) for model in models],
            None,
        )
        write_record(self._place, record)
        return record

    def _lock(
        self,
        groups: Sequence[Group],
        chosen: Mapping[str, Choice],
        markers: Mapping[str, str],
        *,
        upgrade: bool,
    ) -> dict[str, LockedSet]:
        """Return the packages of each function that carries some, and bring the lock up to date."""
        router = groups[0].function
        wanted = {}
        for group in groups:
            asked = needs(
                *(self._spec, self._target, group.versions, chosen, markers, installed_here),
                is_router=group.function == router,
            )
            # This machine's functions have the packages that are installed here.
            if asked and not (self._target == "local" and are_met(asked, installed_here)):
                wanted[group.function] = asked
        if self._environment is None:
            if wanted:
                function, asked = next(iter(wanted.items()))
                raise LastmileError(
                    f"{function} needs {', '.join(asked)}, which are not installed here, and on this machine bundles "
                    "carry no packages: it is no Linux with glibc.",
                    f"Install them: pip install {' '.join(asked)}",
                )
            return {}
        lock = self._folder / LOCK
        if not wanted and not lock.exists():
            return {}
        return current_sets(
            lock, wanted, self._environment, upgrade=upgrade, tell=self._tell, environ=self._environ
        )

    def _interpreter(self) -> Path | None:
        """Return the Python that compiles the bundles; None where the spec wants no bytecode."""
        if self._spec.bundle.bytecode == "none":
            return None
        if self._environment is None:
            return Path(sys.executable)
        return find_interpreter(
            self._environment.python, download=True, tell=self._tell, environ=self._environ
        )

    def _bundles(
        self,
        groups: Sequence[Group],
        models: Sequence[Choice],
        locked: Mapping[str, LockedSet],
        interpreter: Path | None,
        scratch: Path,
    ) -> dict[str, BuiltBundle]:
        """Build the bundles; packages that were changed in the cache are made again, once."""
        layout = LAYOUTS["local" if self._kind == "image" else self._target]
        for attempt in (1, 2):
            carried = {name: self._libraries(found, interpreter) for name, found in locked.items()}
            self._tell("building the bundles")
            try:
                return build_bundles(
                    *(self._spec, groups, models, self._folder, scratch / f"bundles-{attempt}"),
                    libraries=carried,
                    interpreter=interpreter,
                    layout=layout,
                )
            except ChangedError as error:
                self._tell(f"the cache has a changed {error}; installing the packages again")
                for found in locked.values():
                    forget(found, self._cache, interpreter)
        raise LastmileError(
            f"files in the cache {self._root} change while they are read.",
            "See who else writes there, or name another folder in LASTMILE_CACHE.",
        )

    def _libraries(self, locked: LockedSet, interpreter: Path | None) -> Libraries:
        return prepare_libraries(locked, self._cache, interpreter, tell=self._tell, environ=self._environ)

    def _base(self) -> BaseImage | None:
        """Find the image that the target's are built on; None where it takes none. It is not built before that is there."""
        if self._kind != "image":
            return None
        assert self._environment is not None
        return package.find_base(
            *(self._target, self._spec, self._environment, self._folder, self._root),
            *(self._environ, self._tell),
        )

    def _named_base(self) -> str | None:
        """Return the base image as the lock has it, else as the spec names it; None where the target takes none."""
        if self._kind != "image":
            return None
        return package.named_base(self._target, self._spec, self._folder)

    def _packages(self, base: BaseImage | None, built: Mapping[str, BuiltBundle]) -> dict[str, str]:
        """Write the bundles in the form that the target takes; return the paths relative to the project."""
        found = {}
        for name, bundle in built.items():
            if base is not None:
                self._tell(f"writing the image of {name}")
                found[name] = f"{bundle_path(name)}.image"
                labels = package.labels_of(self._spec, name)
                package.make_image(bundle, self._target, base, self._place / found[name], self._cache, labels)
            elif self._kind == "zip":
                self._tell(f"compressing the bundle of {name}")
                found[name] = f"{bundle_path(name)}.zip"
                package.make_zip(bundle, self._place / found[name])
        return found

    def _remove_others(self, built: Mapping[str, BuiltBundle], packages: Mapping[str, str]) -> None:
        """Remove what former builds of the project made, and this one did not."""
        kept = {bundle.folder for bundle in built.values()}
        kept |= {folder_of(bundle.folder) for bundle in built.values()}
        kept |= {self._place / path for path in packages.values()}
        for path in (self._place / "bundles").iterdir():
            if path in kept:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def _markers_here() -> Mapping[str, str]:
    from packaging.markers import default_environment

    return {name: str(value) for name, value in default_environment().items()}


def _unwritable(place: Path, error: OSError) -> LastmileError:
    return LastmileError(
        f"the project in {place} could not be written: {error.strerror or error}.",
        "Free space or mend the folder's rights, then run again.",
    )
