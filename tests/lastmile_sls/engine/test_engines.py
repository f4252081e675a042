"""What both engines do, each test on each of them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from lastmile_sls.engine.interface import UNKNOWN, Engine, EngineError, Event, Secret
from lastmile_sls.engine.properties import ARCHIVE_SIGNATURE, SIGNATURE_KEY
from tests.lastmile_sls.engine.world import World

A, B = {"name": "a", "value": 1}, {"name": "b", "of": "a"}


def ignore(event: Event) -> None:
    return None


class Heard:
    """Collects an engine's events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def steps(self, kind: str) -> list[tuple[str | None, str]]:
        custom = [e for e in self.events if e.kind == kind and e.type == "checking:index:Thing"]
        return [(e.operation, e.name) for e in custom]


def test_up_creates_in_order_of_dependencies_and_returns_outputs(engine: Engine, world: World) -> None:
    world.want({"name": "z", "value": 1}, {"name": "a", "of": "z"}, {"name": "m", "depends_on": ["a"]})
    heard = Heard()
    result = engine.up(world.program({"world:setting": "on"}), heard)
    assert world.calls() == ["create z-here", "create a-here", "create m-here"]
    assert heard.steps("done") == [("create", "z"), ("create", "a"), ("create", "m")]
    assert result.changes == {"create": 5}
    outputs = dict(result.outputs)
    hidden = outputs.pop("hidden")
    assert isinstance(hidden, Secret)
    assert hidden.reveal() == "hush-hush"
    assert outputs == {"z": "mark-z-here", "a": "mark-a-here", "m": "mark-m-here", "config": "on"}


def test_a_second_up_changes_nothing(engine: Engine, world: World) -> None:
    world.want(A, B)
    engine.up(world.program(), ignore)
    world.calls()
    result = engine.up(world.program(), ignore)
    assert result.changes == {"same": 4}
    assert not result.changed
    assert world.calls() == []


def test_preview_plans_with_unknowns_and_makes_nothing(engine: Engine, world: World) -> None:
    world.want(A, B)
    heard = Heard()
    result = engine.preview(world.program(), heard)
    assert result.changes == {"create": 4}
    assert Counter(heard.steps("planned")) == Counter([("create", "a"), ("create", "b")])
    assert world.calls() == []
    assert world.standing() == []


def test_update_changes_one_resource_in_place(engine: Engine, world: World) -> None:
    world.want(A, B)
    engine.up(world.program(), ignore)
    world.calls()
    world.want({**A, "value": 2}, B)
    assert engine.preview(world.program(), ignore).changes == {"update": 1, "same": 3}
    heard = Heard()
    result = engine.up(world.program(), heard)
    assert result.changes == {"update": 1, "same": 3}
    assert world.calls() == ["update a-here"]
    assert [e.changed for e in heard.events if e.operation == "update" and e.kind == "done"] == [("value",)]


def test_replace_creates_before_it_deletes(engine: Engine, world: World) -> None:
    world.want({**A, "place": "x"})
    engine.up(world.program(), ignore)
    world.calls()
    world.want({**A, "place": "y"})
    result = engine.up(world.program(), ignore)
    assert world.calls() == ["create a-y", "delete a-x"]
    assert result.changes["replace"] == 1
    assert world.standing() == ["a-y"]


def test_replace_deletes_first_where_the_provider_says_so(engine: Engine, world: World) -> None:
    world.want({**A, "place": "first1"})
    engine.up(world.program(), ignore)
    world.calls()
    world.want({**A, "place": "first2"})
    engine.up(world.program(), ignore)
    assert world.calls() == ["delete a-first1", "create a-first2"]


def test_what_the_program_drops_is_deleted_dependents_first(engine: Engine, world: World) -> None:
    world.want(A, B, {"name": "c", "depends_on": ["b"]})
    engine.up(world.program(), ignore)
    world.calls()
    world.want(A)
    result = engine.up(world.program(), ignore)
    assert world.calls() == ["delete c-here", "delete b-here"]
    assert result.changes == {"same": 3, "delete": 2}


def test_destroy_deletes_everything_and_the_stack(engine: Engine, world: World) -> None:
    world.want(A, B)
    engine.up(world.program(), ignore)
    world.calls()
    result = engine.destroy(world.program(), ignore)
    assert world.calls() == ["delete b-here", "delete a-here"]
    assert result.changes == {"delete": 4}
    assert not engine.exists(world.program())


def test_a_failing_resource_stops_the_run_and_the_next_goes_on(engine: Engine, world: World) -> None:
    world.want(A, {"name": "b", "value": "fail", "depends_on": ["a"]})
    with pytest.raises(EngineError, match="value is 'fail': this thing cannot be made"):
        engine.up(world.program(), ignore)
    assert world.calls() == ["create a-here"]
    world.want(A, {"name": "b", "value": "fine", "depends_on": ["a"]})
    result = engine.up(world.program(), ignore)
    assert result.changes == {"create": 1, "same": 3}
    assert world.calls() == ["create b-here"]


def test_an_invalid_resource_is_refused_before_anything_is_made(engine: Engine, world: World) -> None:
    world.want({"name": "a", "value": "invalid"})
    with pytest.raises(EngineError, match="value is 'invalid'"):
        engine.up(world.program(), ignore)
    assert world.calls() == []


def test_a_failing_program_deletes_nothing_and_shows_its_own_traceback(engine: Engine, world: World) -> None:
    world.want(A)
    engine.up(world.program(), ignore)
    world.calls()
    main = world.folder / "__main__.py"
    main.write_text("import pulumi\nraise KeyError('a bug of the user')\n")
    with pytest.raises(EngineError, match="a bug of the user") as caught:
        engine.up(world.program(), ignore)
    assert "__main__.py" in str(caught.value)
    assert "run_program.py" not in str(caught.value)
    assert world.calls() == []


def test_protect_refuses_deletion(engine: Engine, world: World) -> None:
    world.want({**A, "protect": True})
    engine.up(world.program(), ignore)
    world.calls()
    with pytest.raises(EngineError, match="protect"):
        engine.destroy(world.program(), ignore)
    assert world.calls() == []


def test_ignored_and_retained(engine: Engine, world: World) -> None:
    world.want({**A, "ignore_changes": ["value"], "retain_on_delete": True})
    engine.up(world.program(), ignore)
    world.calls()
    world.want({**A, "value": 9, "ignore_changes": ["value"], "retain_on_delete": True})
    assert not engine.up(world.program(), ignore).changed
    engine.destroy(world.program(), ignore)
    assert world.calls() == []
    assert world.standing() == ["a-here"]


def test_secrets_reach_the_provider_and_never_an_event(engine: Engine, world: World) -> None:
    world.want({**A, "secret": "s3cret-value", "additional_secret_outputs": ["mark"]})
    heard = Heard()
    result = engine.up(world.program(), heard)
    assert "s3cret-value" in (world.things_made / "a-here.json").read_text()
    assert isinstance(result.outputs["a"], Secret)
    assert "s3cret-value" not in repr(heard.events) + repr(result)
    assert "hush-hush" not in repr(heard.events) + repr(result)


def test_an_engine_hands_a_stack_over_to_itself(engine: Engine, world: World) -> None:
    world.want({**A, "secret": "s3cret-value"}, B)
    engine.up(world.program(), ignore)
    state = engine.export_state(world.program())
    engine.forget(world.program())
    assert not engine.exists(world.program())
    assert world.standing() == ["a-here", "b-here"]
    assert [r["type"] for r in state["deployment"]["resources"]].count("checking:index:Thing") == 2


def test_a_renamed_resource_with_an_alias_is_kept(engine: Engine, world: World) -> None:
    world.want(A, B)
    engine.up(world.program(), ignore)
    world.calls()
    old = "urn:pulumi:test::world::checking:index:Group$checking:index:Thing::a"
    world.want({"name": "new", "value": 1, "aliases": [old]}, {"name": "b", "of": "new"})
    assert engine.up(world.program(), ignore).changes == {"same": 4}
    assert world.calls() == []
    assert not engine.up(world.program(), ignore).changed
    engine.destroy(world.program(), ignore)
    assert world.standing() == []


def test_a_planned_step_shows_what_the_provider_would_be_given(engine: Engine, world: World) -> None:
    world.want({**A, "secret": "s3cret-value", "tags": {"model": "churn"}}, B)
    heard = Heard()
    engine.preview(world.program(), heard)
    planned = {e.name: e.inputs for e in heard.events if e.kind == "planned"}
    assert planned["b"] == {"value": UNKNOWN}
    assert planned["group"] == {}
    inputs = dict(planned["a"] or {})
    assert isinstance(inputs.pop("secret"), Secret)
    assert inputs == {"value": 1, "tags": {"model": "churn"}}
    assert "s3cret-value" not in repr(heard.events)


def test_what_is_carried_out_or_deleted_shows_no_inputs(engine: Engine, world: World) -> None:
    world.want(A)
    heard = Heard()
    engine.up(world.program(), heard)
    world.want()
    engine.preview(world.program(), heard)
    assert ("delete", "a") in heard.steps("planned")
    assert [e for e in heard.events if e.inputs is not None and e.name == "a"] == []


def test_a_changed_file_is_a_changed_resource(engine: Engine, world: World) -> None:
    code = world.folder / "code"
    code.mkdir()
    (code / "app.py").write_text("one")
    world.want({"name": "a", "archive": "code"})
    engine.up(world.program(), ignore)
    assert not engine.up(world.program(), ignore).changed
    held = engine.export_state(world.program())["deployment"]["resources"][-1]["inputs"]["code"]
    assert held[SIGNATURE_KEY] == ARCHIVE_SIGNATURE
    assert held["path"] == "code"
    (code / "app.py").write_text("two")
    heard = Heard()
    assert engine.up(world.program(), heard).changes == {"update": 1, "same": 2}
    assert [e.changed for e in heard.events if e.operation == "update" and e.kind == "done"] == [("code",)]


def test_a_part_of_a_property_can_be_ignored(engine: Engine, world: World) -> None:
    ignoring: dict[str, object] = {"name": "a", "ignore_changes": ["tags.drifts", 'tags["an.other"]']}
    world.want({**ignoring, "tags": {"drifts": 1, "stays": 1}})
    engine.up(world.program(), ignore)
    world.want({**ignoring, "tags": {"drifts": 2, "stays": 1, "an.other": 3}})
    assert not engine.up(world.program(), ignore).changed
    world.want({**ignoring, "tags": {"drifts": 2, "stays": 2}})
    assert engine.up(world.program(), ignore).changes == {"update": 1, "same": 2}
    made = json.loads((world.things_made / "a-here.json").read_text())
    assert made == {"tags": {"drifts": 1, "stays": 2}}


def test_a_change_can_ask_for_a_replacement(engine: Engine, world: World) -> None:
    replacing: dict[str, object] = {"name": "a", "replace_on_changes": ["value"]}
    world.want({**replacing, "value": 1, "tags": {"x": 1}})
    engine.up(world.program(), ignore)
    world.want({**replacing, "value": 1, "tags": {"x": 2}})
    assert engine.up(world.program(), ignore).changes == {"update": 1, "same": 2}
    world.calls()
    world.want({**replacing, "value": 2, "tags": {"x": 2}})
    assert engine.up(world.program(), ignore).changes["replace"] == 1


def test_what_goes_with_another_is_not_deleted_by_itself(engine: Engine, world: World) -> None:
    world.want(A, {"name": "b", "deleted_with": "a"}, {"name": "c", "deleted_with": "a"})
    engine.up(world.program(), ignore)
    world.calls()
    world.want(A, {"name": "b", "deleted_with": "a"})
    engine.up(world.program(), ignore)
    assert world.calls() == ["delete c-here"]
    assert engine.destroy(world.program(), ignore).changes == {"delete": 4}
    assert world.calls() == ["delete a-here"]


def test_the_default_provider_is_configured_by_the_stack(engine: Engine, world: World) -> None:
    world.want(A)
    engine.up(world.program({"checking:region": "here", "world:setting": "on"}), ignore)
    engine.up(world.program({"checking:region": "there", "world:setting": "on"}), ignore)
    resources = engine.export_state(world.program())["deployment"]["resources"]
    provider = next(r for r in resources if r["type"] == "pulumi:providers:checking")
    assert provider["inputs"] == {"region": "there"}


BUCKET = {"name": "bucket", "retain_on_delete": True, "forceDestroy": False}
POLICY = {"name": "policy", "value": "x", "retain_on_delete": True, "secret": "hush"}


def test_it_says_what_stands_and_what_a_destroy_leaves(engine: Engine, world: World) -> None:
    assert engine.resources(world.program()) == ()
    assert engine.retained(world.program()) == ()
    world.want(A, BUCKET, {"name": "part", "deleted_with": "bucket"})
    engine.up(world.program(), ignore)
    assert sorted((r.type, r.name, r.id) for r in engine.resources(world.program())) == [
        ("checking:index:Thing", "a", "a-here"),
        ("checking:index:Thing", "bucket", "bucket-here"),
        ("checking:index:Thing", "part", "part-here"),
    ]
    left = [r.id for r in engine.retained(world.program())]
    assert left == ["bucket-here", "part-here"]
    engine.destroy(world.program(), ignore)
    assert world.standing() == left


def test_destroy_with_data_leaves_nothing(engine: Engine, world: World) -> None:
    world.want(A, BUCKET, POLICY)
    engine.up(world.program(), ignore)
    world.calls()
    assert engine.destroy(world.program(), ignore, data=True).changes == {"delete": 5}
    assert sorted(world.calls()) == ["delete a-here", "delete bucket-here emptied", "delete policy-here"]
    assert world.standing() == []
    assert not engine.exists(world.program())


def test_a_destroy_with_data_that_fails_halfway_is_repeated(engine: Engine, world: World) -> None:
    world.want(BUCKET, {"name": "stuck", "value": "fail-delete"})
    engine.up(world.program(), ignore)
    (world.things_made / "armed").touch()
    with pytest.raises(EngineError, match="stuck-here cannot be deleted"):
        engine.destroy(world.program(), ignore, data=True)
    assert engine.exists(world.program())
    (world.things_made / "armed").unlink()
    engine.destroy(world.program(), ignore, data=True)
    assert world.standing() == []
    assert not engine.exists(world.program())
