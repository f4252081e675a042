"""The loaded models of a function: each is verified and loaded once, on its first prediction."""

from __future__ import annotations

import time
from _thread import allocate_lock  # threading would cost 4 ms of each cold start

from lastmile_runtime import predictors
from lastmile_runtime.errors import RequestError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from lastmile_runtime.manifest import Bundle, Version
    from lastmile_runtime.predictors import Predict
    from lastmile_runtime.tensors import Tensor


class Models:
    """Loads on demand; concurrent first requests load once, and a failed load is tried again by the next."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.versions: dict[str, Version] = {version.id: version for version in bundle.manifest.versions}
        self.failures: dict[str, str] = {}
        """Why the last load of a version failed, while it has not succeeded since."""
        self.guard = allocate_lock()
        """Held for a moment by whoever counts running predictions."""
        self._loaded: dict[str, Predict] = {}
        self._locks = {id_: allocate_lock() for id_ in self.versions}

    def load(self, id_: str) -> float:
        """Make sure that a version is loaded; return the seconds that this took, 0 when it was.

        Raises RequestError (500) with the reason when the model cannot be loaded.
        """
        if id_ in self._loaded:
            return 0.0
        with self._locks[id_]:
            if id_ in self._loaded:
                return 0.0
            started = time.perf_counter()
            version = self.versions[id_]
            try:
                self._loaded[id_] = self._open(version)
            except (Exception, SystemExit) as error:
                self.failures[id_] = f"version {id_!r} cannot be loaded: {type(error).__name__}: {error}"
                raise RequestError(500, self.failures[id_]) from error
            self.failures.pop(id_, None)
            return time.perf_counter() - started

    def _open(self, version: Version) -> Predict:
        if version.predictor == "remote":
            from lastmile_runtime.predictors import remote

            return remote.open_version(version, self._bundle)
        return predictors.load(self._bundle.verify_model(version), version)

    def predict(self, id_: str, inputs: list[Tensor]) -> list[Tensor]:
        """Predict with a loaded version.

        Raises RequestError: 400 when the predictor finds the inputs unfit, 500 with the reason when the model fails.
        """
        try:
            return self._loaded[id_](inputs)
        except RequestError:
            raise
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {error}"
            raise RequestError(500, f"version {id_!r} failed on this request: {reason}") from error
