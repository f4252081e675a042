"""The embedded engine's three verbs, and handing a stack over to or from the CLI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lastmile_sls.engine import retention
from lastmile_sls.engine.embedded.deployment import Deployment, stack_outputs
from lastmile_sls.engine.embedded.host import run_program
from lastmile_sls.engine.embedded.providers import ProviderFactory, Providers
from lastmile_sls.engine.embedded.state import StateFile, render
from lastmile_sls.engine.interface import EngineError, EngineName, OnEvent, Program, Result, Standing
from lastmile_sls.engine.properties import secret


class EmbeddedEngine:
    """Hosts unmodified Pulumi programs whose resources its providers carry; needs nothing but Python."""

    name: EngineName = "embedded"

    def __init__(self, stacks: Path, providers: Mapping[str, ProviderFactory]) -> None:
        """Keep stacks as `<stacks>/<project>/<stack>.json`; carry the packages that `providers` names."""
        self._stacks = stacks
        self._factories = providers

    def state_path(self, program: Program) -> Path:
        """Return where the program's stack is kept."""
        return self._stacks / program.project / f"{program.stack}.json"

    def preview(self, program: Program, on_event: OnEvent) -> Result:
        """Say what `up` would do; change nothing, and need no lock."""
        deployment = self._deployment(program, preview=True, on_event=on_event)
        run_program(program, _main(program), deployment, preview=True, on_event=on_event)
        return deployment.finish()

    def up(self, program: Program, on_event: OnEvent) -> Result:
        """Make the stack what the program says."""
        file = self._file(program)
        with file.locked():
            deployment = self._deployment(program, preview=False, on_event=on_event)
            file.keep_backup()
            run_program(program, _main(program), deployment, preview=False, on_event=on_event)
            return deployment.finish()

    def destroy(self, program: Program, on_event: OnEvent, *, data: bool = False) -> Result:
        """Delete every resource of the stack, and the stack; with `data`, also what it retains, and all that is in it."""
        file = self._file(program)
        with file.locked():
            snapshot = file.read()
            file.keep_backup()
            if data and file.exists():
                file.write(file.parse(retention.unretained(render(snapshot))))
            deployment = self._deployment(program, preview=False, on_event=on_event)
            result = deployment.destroy()
            file.remove()
        return result

    def exists(self, program: Program) -> bool:
        """Whether there is a state file for the stack."""
        return self._file(program).exists()

    def resources(self, program: Program) -> tuple[Standing, ...]:
        """Return the resources that stand."""
        return retention.standing(self.export_state(program))

    def retained(self, program: Program) -> tuple[Standing, ...]:
        """Return those of them that a destroy leaves standing."""
        return retention.retained(self.export_state(program))

    def outputs(self, program: Program) -> Mapping[str, Any]:
        """Return the stack's outputs as of the last run."""
        return stack_outputs(self._file(program).read().resources)

    def export_state(self, program: Program) -> dict[str, Any]:
        """Return the stack in Pulumi's deployment format, secrets in plain text."""
        return render(self._file(program).read())

    def adopt_state(self, program: Program, state: dict[str, Any]) -> None:
        """Take over a stack that the CLI exported with its secrets shown."""
        file = self._file(program)
        with file.locked():
            file.write(file.parse(state))

    def forget(self, program: Program) -> None:
        """Drop the state file without touching the resources."""
        file = self._file(program)
        with file.locked():
            file.remove()

    def _file(self, program: Program) -> StateFile:
        return StateFile(self.state_path(program), program.project, program.stack)

    def _deployment(self, program: Program, *, preview: bool, on_event: OnEvent) -> Deployment:
        config = {k: secret(v) if k in program.secret_config else v for k, v in program.config.items()}
        providers = Providers(self._factories, config)
        return Deployment(self._file(program), providers, preview=preview, on_event=on_event)


def _main(program: Program) -> Path:
    """Return what to run: the file that `Pulumi.yaml` names, else the folder. Raises EngineError when it is not there."""
    path = program.folder / "Pulumi.yaml"
    try:
        project = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise EngineError(
            f"{path} cannot be read: {error}.", "Write the project anew: lastmile build"
        ) from error
    main = program.folder / (project.get("main") or ".")
    if not (main / "__main__.py" if main.is_dir() else main).is_file():
        raise EngineError(f"{main} has no program.", "Write the project anew: lastmile build")
    return main
