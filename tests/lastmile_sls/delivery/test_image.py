"""An image arrives in a real registry: only what is missing is sent, after a cut the rest, and it can be deleted."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.bundle.oci.base_image import BaseImage
from lastmile_sls.delivery.image import Image
from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, is_unknown
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import State, Values
from tests.lastmile_sls.bundle.oci.images import folder_base
from tests.lastmile_sls.bundle.oci.registries import (
    Proxy,
    RegistryProcess,
    answering,
    needs_registry,
    proxy_to,
    registry,
)
from tests.lastmile_sls.delivery.built import build_image, registry_base
from tests.lastmile_sls.delivery.waiting import FakePatience

pytestmark = needs_registry
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def proxy(shared: RegistryProcess) -> Iterator[Proxy]:
    with proxy_to(shared.address) as found:
        yield found


@pytest.fixture
def base(shared: RegistryProcess, tmp_path: Path) -> BaseImage:
    return registry_base(tmp_path / "base", shared.address, tmp_path / "cache" / "images")


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image({"LASTMILE_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}, FakePatience())


def status_of(reference: str) -> int:
    """Ask a registry for an image, without our own client."""
    host, _, rest = reference.partition("/")
    name, _, version = rest.partition("@")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", f"/v2/{name}/manifests/{version}", headers={"accept": MANIFEST})
    status = connection.getresponse().status
    connection.close()
    return status


def state_of(inputs: Values, outputs: Values) -> State:
    return State(inputs["repository"], inputs, {**inputs, **outputs})


def test_an_image_is_sent_once_updated_and_deleted(
    image: Image, base: BaseImage, proxy: Proxy, tmp_path: Path
) -> None:
    place = {"repository": f"{proxy.address}/own/predict"}
    first = {**place, **build_image(tmp_path, base, "a")}
    planned = image.planned(first, {})
    id_, made = image.create("urn", first)
    assert (id_, made) == (place["repository"], planned)
    assert made["reference"].startswith(f"{place['repository']}@sha256:")
    digest = made["reference"].rpartition("@")[2]
    assert made["tag"] == f"{first['digest'][7:19]}-{digest[7:19]}"
    assert status_of(made["reference"]) == 200
    assert image.read(state_of(first, made)) == (first, {**first, **made})

    proxy.requests.clear()
    assert (
        image.create("urn", first)[1] == made
    )  # as a run does that was killed before it could note the first
    assert proxy.requests == [("HEAD", f"/v2/own/predict/manifests/{made['tag']}")]
    proxy.requests.clear()
    assert image.drifted(state_of(first, made), first) == []
    assert proxy.requests == []

    second = {**place, **build_image(tmp_path, base, "b")}
    updated = image.update("urn", state_of(first, made), second)
    assert updated["reference"] != made["reference"]
    assert status_of(updated["reference"]) == 200
    assert proxy.count("PUT") == 3  # the layer that is another one, the config and the manifest

    for _ in range(2):
        image.delete(state_of(second, updated))
        assert status_of(updated["reference"]) == 404
    assert image.read(state_of(second, updated)) is None


def test_a_push_that_was_cut_goes_on_where_it_was(
    image: Image, base: BaseImage, proxy: Proxy, tmp_path: Path
) -> None:
    inputs = {"repository": f"{proxy.address}/cut/predict", **build_image(tmp_path, base, "cut")}
    proxy.fault = lambda method, path: "cut" if method == "PUT" and "/manifests/" not in path else None
    with pytest.raises(LastmileError) as caught:
        image.create("urn", inputs)
    assert caught.value.hint.endswith("then run again; what has arrived is not sent again.")
    left = ["cut"]
    proxy.fault = lambda method, _: left.pop() if method == "PUT" and left else None
    _, made = image.create("urn", inputs)
    assert left == []
    assert status_of(made["reference"]) == 200


def test_the_base_of_another_registry_is_fetched_from_there(
    image: Image, base: BaseImage, tmp_path: Path
) -> None:
    inputs = build_image(tmp_path, base, "far")
    own = {blob.name for blob in (Path(inputs["source"]) / "blobs" / "sha256").iterdir()}
    assert not own & {layer.digest[7:] for layer in base.layers}
    with registry(tmp_path / "other") as other:
        wanted = {**inputs, "repository": f"{other.address}/far/predict"}
        _, made = image.create("urn", wanted)
        assert status_of(made["reference"]) == 200


def test_a_base_in_a_folder_is_named(image: Image, shared: RegistryProcess, tmp_path: Path) -> None:
    base = folder_base(tmp_path)
    inputs = {"repository": f"{shared.address}/named/predict", **build_image(tmp_path, base, "named")}
    with pytest.raises(LastmileError) as caught:
        image.planned(inputs, {})
    assert caught.value.message == (
        f"the image {inputs['source']} lacks the layer {base.layers[0].digest} of the image it is built on."
    )
    _, made = image.create("urn", {**inputs, "base": base.pinned})
    assert status_of(made["reference"]) == 200


def test_another_base_is_another_image_of_the_same_bundle(
    image: Image, base: BaseImage, shared: RegistryProcess, tmp_path: Path
) -> None:
    place = {"repository": f"{shared.address}/moved/predict"}
    before = {**place, **build_image(tmp_path, base, "moved")}
    state = state_of(before, image.create("urn", before)[1])
    other = folder_base(tmp_path, "other", Cmd=["bash"])
    after = {**place, **build_image(tmp_path / "new", other, "moved"), "base": other.pinned}
    assert after["digest"] == before["digest"]
    assert image.drifted(state, after) == ["source"]
    assert image.update("urn", state, after)["tag"] != state.outputs["tag"]
    # The registry has what it has, whatever has become of the folder.
    assert image.drifted(state, {**before, "source": str(tmp_path / "gone")}) == []
    assert image.drifted(state, {**before, "source": build_image(tmp_path, base, "else")["source"]}) == []


def test_an_image_of_another_bundle_is_refused(image: Image, base: BaseImage, tmp_path: Path) -> None:
    inputs = {"repository": "127.0.0.1:1/a", **build_image(tmp_path, base, "stale")}
    wrong = f"sha256:{'0' * 64}"
    with pytest.raises(LastmileError) as caught:
        image.planned({**inputs, "digest": wrong}, {})
    told = f"the image {inputs['source']} holds the bundle {inputs['digest']}, but digest is {wrong}."
    assert (caught.value.message, caught.value.hint) == (told, "Build the project again: lastmile build.")


def test_a_repository_that_is_not_there_yet_leaves_the_reference_open(
    image: Image, base: BaseImage, tmp_path: Path
) -> None:
    inputs = {"repository": UNKNOWN_SENTINEL, **build_image(tmp_path, base, "open")}
    planned = image.planned(inputs, {})
    assert is_unknown(planned["reference"])
    assert not is_unknown(planned["tag"])
    assert is_unknown(image.planned({**inputs, "digest": UNKNOWN_SENTINEL}, {})["tag"])


def test_a_registry_that_lets_nobody_delete_is_content(
    image: Image, base: BaseImage, proxy: Proxy, tmp_path: Path
) -> None:
    inputs = {"repository": f"{proxy.address}/kept/predict", **build_image(tmp_path, base, "kept")}
    _, made = image.create("urn", inputs)
    proxy.fault = lambda method, _: 405 if method == "DELETE" else None
    image.delete(state_of(inputs, made))
    assert status_of(made["reference"]) == 200
    proxy.fault = lambda method, _: 403 if method == "DELETE" else None
    with pytest.raises(LastmileError) as caught:
        image.delete(state_of(inputs, made))
    assert "deleting the manifest was answered with 403" in caught.value.message


class Deletions(dict[str, tuple[int, dict[str, str], bytes]]):
    """Answers a registry's deletions, each once, with an error code or nothing."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)

    def __getitem__(self, path: str) -> tuple[int, dict[str, str], bytes]:
        code = self.codes.pop(0)
        return 400 if code else 202, {}, f'{{"errors": [{{"code": "{code}", "message": "no"}}]}}'.encode()


@pytest.mark.parametrize(
    ("codes", "deleted"),
    [
        (("UNSUPPORTED",), ["digest"]),
        (("GOOGLE_MANIFEST_DANGLING_TAG", "", ""), ["digest", "tag", "digest"]),
    ],
)
def test_registries_delete_in_ways_of_their_own(
    image: Image, codes: tuple[str, ...], deleted: list[str]
) -> None:
    digest = f"sha256:{'1' * 64}"
    paths = {"digest": f"/v2/own/manifests/{digest}", "tag": "/v2/own/manifests/a-tag"}
    with answering(Deletions(*codes)) as (address, asked):
        place = {"repository": f"{address}/own"}
        image.delete(state_of(place, {"reference": f"{address}/own@{digest}", "tag": "a-tag"}))
    assert asked == [("DELETE", paths[name], "") for name in deleted]


def test_an_image_that_was_not_built_is_told(image: Image, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    inputs = {"repository": "127.0.0.1:1/a", "source": str(folder), "digest": f"sha256:{'0' * 64}"}
    assert is_unknown(image.planned(inputs, {}))  # a preview does without
    with pytest.raises(LastmileError) as caught:
        image.create("urn", inputs)
    assert (caught.value.message, caught.value.hint) == (
        f"there is no image {folder}.",
        "Build the project: lastmile build.",
    )


@pytest.mark.parametrize(
    ("inputs", "name", "told"),
    [
        ({"digest": "abc"}, "digest", "digest is 'abc', but must be sha256: and 64 hexadecimal digits."),
        (
            {"repository": "127.0.0.1:1/a:tag"},
            "repository",
            "repository is '127.0.0.1:1/a:tag', but must be REGISTRY/REPOSITORY, without a tag.",
        ),
        ({"repository": "nowhere"}, "repository", "'nowhere' names no registry."),
    ],
)
def test_wrong_inputs_are_told(image: Image, inputs: dict[str, Any], name: str, told: str) -> None:
    ((found, reason),) = image.check(inputs)
    assert found == name
    assert reason.splitlines()[0] == told


def test_an_image_cannot_be_imported(image: Image) -> None:
    with pytest.raises(LastmileError) as caught:
        image.read(State("127.0.0.1:1/a", {}, {}))
    assert caught.value.message == "the image 127.0.0.1:1/a cannot be imported."
