from __future__ import annotations

import io
import pickle
import pickletools
import struct
import sys
import warnings
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from lastmile_sls.inspection import pairs
from lastmile_sls.inspection.globals import CALLS, CLASSES, VALUES
from lastmile_sls.inspection.refused import RefusedPickleError
from lastmile_sls.inspection.unpickler import read_pickle
from tests.lastmile_sls.inspection.models import MODELS, X, Y, inputs_of

STOP = b"."


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def named(module: str, name: str) -> bytes:
    """Return protocol 4's way to name a thing; the name may hold dots there."""
    return text(module) + text(name) + b"\x93"


def called(module: str, name: str, *arguments: str) -> bytes:
    return named(module, name) + b"(" + b"".join(map(text, arguments)) + b"tR"


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(RefusedPickleError) as caught:
        read_pickle(path)
    return str(caught.value)


def same(one: Any, other: Any) -> bool:
    one, other = (value.toarray() if hasattr(value, "toarray") else value for value in (one, other))
    return bool(np.array_equal(one, other) if one.dtype.kind in "OUb" else np.allclose(one, other))


# --- what a model holds is read


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", MODELS)
def test_real_models_are_read_and_predict_the_same(tmp_path: Path, name: str) -> None:
    model, rows, path = MODELS[name](), inputs_of(name), tmp_path / "model"
    writers: list[Callable[[], object]] = [
        *(lambda p=p: path.write_bytes(pickle.dumps(model, p)) for p in (2, 3, 4, 5)),
        *(
            lambda c=c: joblib.dump(model, path, compress=c)
            for c in (0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3))
        ),
    ]
    methods = [m for m in ("predict", "predict_proba", "transform", "score_samples") if hasattr(model, m)]
    for write in writers:
        write()
        found = read_pickle(path)
        assert found.sklearn_version == import_module("sklearn").__version__
        for method in methods:
            assert same(getattr(found.model, method)(rows), getattr(model, method)(rows)), method


def test_arrays_of_every_kind_are_read(tmp_path: Path) -> None:
    arrays = [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(3, dtype=">i4"),
        np.array([("a", 1)], dtype=[("name", "U1"), ("size", "i8")]),
        np.array(["a", None, 1.5], dtype=object),
        np.array([], dtype="f4"),
        np.array("2026-01-01", dtype="M8[D]"),
        np.array([5], dtype="m8[25s]"),
        np.zeros(2, dtype=np.dtype([("a", "i1"), ("b", "f8", (2,))], align=True)),
    ]
    path = tmp_path / "arrays.joblib"
    joblib.dump(
        [*arrays, np.float32(1.5), OrderedDict(a={1}), defaultdict(OrderedDict, a=1), bytearray(b"\xff")],
        path,
        protocol=2,
    )
    *read, number, ordered, defaults, native = read_pickle(path).model
    for array, found in zip(arrays, read, strict=True):
        assert np.array_equal(array, found)
        assert array.dtype.newbyteorder("=") == found.dtype
    assert (number, ordered, defaults) == (np.float32(1.5), OrderedDict(a={1}), {"a": 1})
    assert native == bytearray(b"\xff")
    assert defaults["b"] == OrderedDict()
    path.write_bytes(pickle.dumps(native, 5))
    assert read_pickle(path).model == native


# --- what a model never holds is refused, and nothing has run

_NAMES = {
    "os": ("posix", "system"),
    "eval": ("builtins", "eval"),
    "getattr": ("builtins", "getattr"),
    "import": ("builtins", "__import__"),
    "partial": ("functools", "partial"),
    "attrgetter": ("operator", "attrgetter"),
    "methodcaller": ("operator", "methodcaller"),
    "copyreg": ("copyreg", "_reconstructor"),
    "copyreg-extension": ("copyreg", "add_extension"),
    "popen": ("subprocess", "Popen"),
    "joblib-os": ("joblib.parallel", "os"),
    "joblib-loads": ("joblib.numpy_pickle", "load"),
    "joblib-old-array": ("joblib.numpy_pickle_compat", "NDArrayWrapper"),
    "joblib-old-compressed": ("joblib.numpy_pickle_compat", "ZNDArrayWrapper"),
    "numpy-runstring": ("numpy.testing._private.utils", "runstring"),
    "numpy-f2py": ("numpy.f2py.crackfortran", "myeval"),
    "numpy-load": ("numpy", "load"),
    "numpy-fromfile": ("numpy", "fromfile"),
    "numpy-memmap-file": ("numpy.lib._npyio_impl", "DataSource"),
    "sklearn-mocking": ("sklearn.utils._testing", "check_docstring_parameters"),
    "sklearn-fixes": ("sklearn.utils.fixes", "parse_version"),
    "sklearn-datasets": ("sklearn.datasets._base", "load_files"),
    "sklearn-openml": ("sklearn.datasets._openml", "fetch_openml"),
    "scipy-distributions": ("scipy.stats._distn_infrastructure", "rv_generic"),
    "pandas-eval": ("pandas.core.computation.eval", "eval"),
    "pandas-pickle": ("pandas.io.pickle", "read_pickle"),
    "logging": ("logging.config", "dictConfig"),
    "pip": ("pip._internal.cli.main", "main"),
}


@pytest.mark.parametrize("pair", _NAMES.values(), ids=_NAMES)
def test_names_beyond_the_table_are_refused(tmp_path: Path, pair: tuple[str, str]) -> None:
    canary = tmp_path / "canary"
    content = b"\x80\x04" + called(*pair, f"touch {canary}") + STOP
    says = refusal(tmp_path / "model.pkl", content)
    assert says == f"it names {pair[0]}.{pair[1]}, which is not part of a model"
    assert not canary.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("joblib.parallel", "os.system"),
        ("sklearn.linear_model._logistic", "LogisticRegression.fit.__globals__"),
        ("numpy", "float64.__class__"),
        ("builtins", "str.format"),
        ("sklearn.base", "BaseEstimator.__init__"),
    ],
)
def test_dotted_names_are_refused_even_below_an_allowed_one(tmp_path: Path, module: str, name: str) -> None:
    canary = tmp_path / "canary"
    says = refusal(tmp_path / "model.pkl", b"\x80\x04" + called(module, name, f"touch {canary}") + STOP)
    assert says == f"it names {module}.{name}, which is not part of a model"
    assert not canary.exists()


class Evil:
    """Runs a command when it is loaded in the ordinary way."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.canary}",)


def hidden_in_a_state(canary: Path) -> Any:
    model = LogisticRegression().fit(X, Y)
    model.classes_ = {"deep": [Evil(canary)]}
    return model


def hidden_in_an_object_array(canary: Path) -> Any:
    model = LogisticRegression().fit(X, Y)
    model.classes_ = np.array([Evil(canary), 1], dtype=object)
    return model


def hidden_in_arrays_in_arrays(canary: Path) -> Any:
    inner: Any = np.empty(1, dtype=object)
    inner[0] = Evil(canary)
    outer: Any = np.empty(1, dtype=object)
    outer[0] = inner
    return outer


@pytest.mark.parametrize(
    "make", [Evil, hidden_in_a_state, hidden_in_an_object_array, hidden_in_arrays_in_arrays]
)
@pytest.mark.parametrize("compress", [0, 3, ("xz", 1)])
def test_code_hidden_in_a_valid_model_is_refused(
    tmp_path: Path, make: Callable[[Path], Any], compress: Any
) -> None:
    path, canary = tmp_path / "model.joblib", tmp_path / "canary"
    joblib.dump(make(canary), path, compress=compress)
    says = refusal(path, path.read_bytes())
    assert says == "it names posix.system, which is not part of a model"
    assert not canary.exists()
    joblib.load(path)
    assert canary.exists(), "the file is harmless, so the test shows nothing"


def test_code_after_the_end_is_refused(tmp_path: Path) -> None:
    path, canary = tmp_path / "model.joblib", tmp_path / "canary"
    joblib.dump(MODELS["forest"](), path)
    says = refusal(path, path.read_bytes() + pickle.dumps(Evil(canary)))
    assert says == "it goes on after the model's end"
    joblib.dump(MODELS["forest"](), path, compress=3)
    assert refusal(path, path.read_bytes() + zlib.compress(b"more")) == "it goes on after the model's end"
    assert not canary.exists()


_OPCODES = {
    "extension-1": (b"\x82\x01", "it uses copyreg's extension codes, which no model needs"),
    "extension-2": (b"\x83\x01\x00", "it uses copyreg's extension codes, which no model needs"),
    "extension-4": (b"\x84\x01\x00\x00\x00", "it uses copyreg's extension codes, which no model needs"),
    "persistent": (b"Pid\n", "it uses persistent ids, which no model needs"),
    "persistent-binary": (b"NQ", "it uses persistent ids, which no model needs"),
    "instance": (b"(ios\nsystem\n", "it uses instances as Python 2 wrote them, which no model needs"),
    "object": (
        b"(" + named("builtins", "object") + b"o",
        "it uses instances as Python 2 wrote them, which no model needs",
    ),
    "buffer": (b"\x97", "it uses buffers from outside the file, which no model needs"),
    "keywords": (
        named("sklearn.base", "BaseEstimator") + b")}\x92",
        "it uses keyword arguments for a constructor, which no model needs",
    ),
    "call-of-a-value": (called("numpy", "log1p", "1"), "it calls builtins.log1p"),
    "call-of-a-class": (called("sklearn.base", "BaseEstimator"), "it calls sklearn.base.BaseEstimator"),
    "call-of-an-instance": (text("x") + b")R", "it calls builtins.str"),
    "new-of-a-value": (named("builtins", "object") + b")\x81", "it makes an instance of builtins.object"),
    "state-of-a-class": (
        named("sklearn.base", "BaseEstimator") + b"}" + text("get_params") + b"Nsb",
        "it changes sklearn.base.BaseEstimator",
    ),
    "slots-of-a-class": (
        named("sklearn.base", "BaseEstimator") + b"N}" + text("__init__") + b"Ns\x86b",
        "it changes sklearn.base.BaseEstimator",
    ),
    "slots-of-an-instance": (
        named("sklearn._loss.loss", "HalfSquaredError") + b")\x81N}" + text("__class__") + b"Ns\x86b",
        "it sets slots of sklearn._loss.loss.HalfSquaredError",
    ),
}


@pytest.mark.parametrize(("content", "says"), _OPCODES.values(), ids=_OPCODES)
def test_every_other_way_to_run_code_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    assert (
        refusal(tmp_path / "model.pkl", b"\x80\x04" + content + STOP).replace("numpy.log1p", "builtins.log1p")
        == says
    )


class Wrapped:
    """An array whose description, as joblib writes it, announces more than the file has."""

    def __init__(self, shape: tuple[int, ...], dtype: str = "f8") -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)

    def pickled(self) -> bytes:
        state = {
            "subclass": np.ndarray,
            "shape": self.shape,
            "order": "C",
            "dtype": self.dtype,
            "allow_mmap": False,
        }
        wrapper = joblib.numpy_pickle.NumpyArrayWrapper.__new__(joblib.numpy_pickle.NumpyArrayWrapper)
        wrapper.__dict__.update(state)
        return pickle.dumps(wrapper, 2)


def test_an_array_larger_than_the_file_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    content = Wrapped((1 << 40,)).pickled()
    assert refusal(path, content) == f"it asks for {8 << 40} bytes where at most 1 are left"
    assert "it asks for" in refusal(path, zlib.compress(content))
    assert (
        refusal(path, zlib.compress(Wrapped((9,)).pickled() + bytes(60)))
        == "it ends in the middle of an array"
    )
    assert refusal(path, Wrapped((-1,)).pickled()) == "it describes an array as joblib never does"


@pytest.mark.parametrize("code", [pickle.BINUNICODE8, pickle.BINBYTES8, pickle.BYTEARRAY8])
def test_text_or_bytes_longer_than_the_file_are_refused(tmp_path: Path, code: bytes) -> None:
    content = b"\x80\x05" + code + struct.pack("<Q", 1 << 40) + STOP
    assert refusal(tmp_path / "model.pkl", content) == f"it asks for {1 << 40} bytes where at most 1 are left"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x80\x04", "it is cut short"),
        (zlib.compress(b"\x80\x04"), "it is cut short"),
        (b"\x80\x04\x88", "it is cut short"),
        (b"\x80\x7f.", "it cannot be read (ValueError: unsupported pickle protocol: 127)"),
        (b"ZF0x000000", "it was written by joblib 0.9 or older, whose files are spread over several"),
    ],
)
def test_files_that_are_no_whole_pickle(tmp_path: Path, content: bytes, says: str) -> None:
    assert refusal(tmp_path / "model.pkl", content) == says


def test_a_model_cut_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(LogisticRegression().fit(X, Y), path)
    content = path.read_bytes()
    for size in range(0, len(content), 7):
        assert refusal(path, content[:size])


def test_classes_of_another_version_say_so(tmp_path: Path) -> None:
    gone = ("sklearn.compose._column_transformer", "_RemainderColsList")  # of 1.5 to 1.6
    if _installed(gone):
        pytest.skip("this scikit-learn still has it")
    says = refusal(tmp_path / "model.pkl", b"\x80\x04" + named(*gone) + STOP)
    assert says == (
        f"it needs {gone[0]}.{gone[1]}, which the installed sklearn does not have, or sklearn is not installed"
    )


def test_the_losses_old_name_is_taken_from_scikit_learn_alone(tmp_path: Path) -> None:
    import_module("sklearn._loss._loss")
    if "_loss" in sys.modules:
        pytest.skip("this scikit-learn names its losses so")
    says = refusal(tmp_path / "model.pkl", b"\x80\x04" + named("_loss", "CyHalfSquaredError") + STOP)
    assert says == (
        "its loss was written by scikit-learn 1.8 or older, and the installed version cannot load it"
    )


# --- the table itself


def _installed(pair: tuple[str, str]) -> bool:
    try:
        return hasattr(import_module(pair[0]), pair[1])
    except ImportError:
        return False


def test_every_name_is_exact_and_undotted() -> None:
    for module, name in {*CLASSES, *VALUES, *CALLS}:
        assert name.isidentifier(), (module, name)
        assert not {"os", "sys", "subprocess", "importlib", "ctypes", "shutil", "pickle"} & set(
            module.split(".")
        )


def test_no_class_is_a_list_or_a_set_that_a_state_could_give_methods() -> None:
    for module, name in filter(_installed, CLASSES):
        assert not issubclass(getattr(import_module(module), name), (list, set)), (module, name)


def test_no_class_has_a_constructor_or_state_of_its_own_that_was_not_looked_at() -> None:
    """Each of these was read: it stores its state, and calls nothing that the state holds."""
    looked_at = {
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor.__setstate__",  # converts one array
        "sklearn.gaussian_process.kernels.Hyperparameter.__new__",  # a named tuple that checks its bounds
        "sklearn.isotonic.IsotonicRegression.__setstate__",  # interpolates its thresholds
        "sklearn.linear_model._passive_aggressive.PassiveAggressiveClassifier.__new__",  # a deprecation's
        "sklearn.linear_model._passive_aggressive.PassiveAggressiveRegressor.__new__",
        "sklearn.utils._bunch.Bunch.__setstate__",  # does nothing
    }
    found = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module, name in filter(_installed, pairs.CLASSES):
            for kind in getattr(import_module(module), name).__mro__:
                if kind in (object, dict, tuple, BaseEstimator) or not kind.__module__.startswith("sklearn"):
                    continue
                own = {"__setstate__", "__new__", "__del__", "__getattribute__"} & set(vars(kind))
                found |= {f"{kind.__module__}.{kind.__name__}.{method}" for method in own}
    assert found <= looked_at


def test_the_hand_made_pickles_are_well_formed() -> None:
    for content, _ in _OPCODES.values():
        pickletools.dis(io.BytesIO(b"\x80\x04" + content + STOP), out=io.StringIO())
