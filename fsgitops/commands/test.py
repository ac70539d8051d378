"""`fsgitops test`: whether calls do what is expected of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.commands.trace import open_source
from fsgitops.errors import NotThereError, UsageError
from fsgitops.expectation.coverage import measure
from fsgitops.expectation.prove import Prover, make_proof
from fsgitops.planning.survey import load_planned
from fsgitops.planning.world import plan_declared
from fsgitops.routing.call.scene import scene_of_files
from fsgitops.workspace.declare import declare_desired

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.expectation.noun import Expectation
    from fsgitops.model.verdict import Proof
    from fsgitops.routing.call.scene import Scene
    from fsgitops.workspace.declare import Declared
    from fsgitops.workspace.open import Workspace


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which expectations are looked at: what is left empty chooses all of them.

    `files` are files and folders, from the project's own. `word` stands in a name or number.
    """

    files: tuple[str, ...] = ()
    word: str = ""


def run_test(
    workspace: Workspace, chosen: Chosen, source: str = "plan", *, coverage: bool = False
) -> Proof:
    """Prove what is expected on the files as a plan leaves them, as they are, or on a switch.

    `source` is `plan`, `disk` or `live`. Raises DesiredInvalidError for what is declared wrongly,
    NotThereError where nothing is chosen, MergeError where the files cannot be read, SwitchError
    where the switch does not answer.
    """
    if source != "plan":
        declared = declare_desired(workspace)
        with open_source(workspace, source) as scene:
            return _prove(workspace, declared, scene, chosen, coverage=coverage)
    planned = plan_declared(workspace)
    loaded = load_planned(workspace.target, planned.plan, planned.written, planned.live)
    scene = scene_of_files(loaded, source, workspace.target.domain)
    return _prove(workspace, planned.compilation.declared, scene, chosen, coverage=coverage)


def _prove(
    workspace: Workspace, declared: Declared, scene: Scene, chosen: Chosen, *, coverage: bool
) -> Proof:
    desired, expected, kinds = declared.demand(), declared.expected, workspace.kinds
    prover = Prover(scene, workspace.target, desired, kinds)
    tests = list(_choose(workspace, declared, chosen))
    proved = [prover.prove(test, expected.sources[test.name]) for test in tests]
    proof = make_proof(scene, proved)
    if not coverage:
        return proof
    region = workspace.settings.default_region
    return replace(proof, coverage=measure(proved, desired, kinds, scene.world, region))


def _choose(workspace: Workspace, declared: Declared, chosen: Chosen) -> Iterator[Expectation]:
    expected, word = declared.expected, chosen.word.casefold()
    wanted = [_place(workspace, path) for path in chosen.files]
    found = [
        test
        for test in expected.enabled
        if word in test.name.casefold() or word in test.call
        if not wanted or any(_is_in(expected.sources[test.name].file, path) for path in wanted)
    ]
    if not found and (wanted or word):
        places = f" in {', '.join(chosen.files)}" if wanted else ""
        named = f" with {chosen.word!r} in its name or number" if word else ""
        raise NotThereError(f"there is no enabled expectation{places}{named}")
    return iter(found)


def _place(workspace: Workspace, path: str) -> str:
    full = Path(os.path.normpath(workspace.root / path))
    if not full.exists():
        raise UsageError(f"{path}: no such file; a path starts in the folder that you are in")
    return os.path.relpath(full, workspace.root)


def _is_in(file: str, path: str) -> bool:
    return path in (".", file) or file.startswith(f"{path}/")
