"""`fsgitops doctor`: everything that has to be right around the desired state."""

from __future__ import annotations

import os
import stat
from collections import Counter
from typing import TYPE_CHECKING

from fsgitops.commands.doctor.files import check_files
from fsgitops.commands.doctor.switch import check_switch
from fsgitops.diagnosis import Check, Diagnosis, bad, good, skip, warn
from fsgitops.errors import FsgitopsError, SecretError
from fsgitops.findings import has_errors
from fsgitops.kinds.agent.noun import Agent
from fsgitops.model.reading import resource_of
from fsgitops.secret.key import KEY_VARIABLE, NEXT_KEY_VARIABLE
from fsgitops.visible import count_noun
from fsgitops.workspace.declare import declare_desired
from fsgitops.workspace.git import (
    REPLACE,
    check_records,
    find_in_git,
    find_in_history,
    private_names,
)
from fsgitops.workspace.secrets import find_keys, next_key_file, open_book

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.model.kind import Kinds
    from fsgitops.model.resource import Resource
    from fsgitops.workspace.declare import Declared
    from fsgitops.workspace.open import Workspace

SHOWN = 10


def run_doctor(workspace: Workspace) -> Diagnosis:
    """Make every check that can be made here; none of them changes anything."""
    checks = [*_check_key(workspace)]
    declared: Declared | None = None
    try:
        declared = declare_desired(workspace)
    except FsgitopsError as problem:
        checks.append(bad("desired", str(problem), "correct it"))
    if declared is not None:
        checks.append(_check_desired(declared))
        checks += _check_secrets(workspace, declared)
    checks += check_files(workspace, declared)
    checks += check_switch(workspace, declared)
    return Diagnosis(workspace.target.name, tuple(checks))


def _check_key(workspace: Workspace) -> Iterator[Check]:
    settings, root = workspace.settings, workspace.root
    path = root / settings.key_file
    try:
        keys = find_keys(workspace)
    except SecretError as problem:
        message, _, command = str(problem).partition(": run ")
        yield bad("project-key", message, command or "correct it, or use a copy of your own")
        return
    if keys.current is None:
        yield warn(
            "project-key",
            "no project key here: plans show secrets as (known after apply), and nothing can be "
            "applied",
            f"set {KEY_VARIABLE}, or make a key with `fsgitops key new`",
        )
    else:
        where = KEY_VARIABLE if os.environ.get(KEY_VARIABLE, "").strip() else str(path)
        yield good("project-key", f"key {keys.current.id}, from {where}")
    if settings.key_rotation is not None and keys.upcoming is None:
        yield bad(
            "next-key",
            "a key rotation is under way, but the next key is missing here",
            f"set {NEXT_KEY_VARIABLE}, or put it into {next_key_file(settings, root)}",
        )
    yield from _check_git(workspace)
    cdr = workspace.settings.cdr
    lake = None if "://" in (cdr.lake or "://") else cdr.lake
    yield from check_records(
        workspace.root / folder for folder in (lake, cdr.spool, cdr.json_dir) if folder
    )


def _check_git(workspace: Workspace) -> Iterator[Check]:
    names = private_names(workspace)
    found = find_in_git(workspace.root, names)
    found += [(told, REPLACE) for told in find_in_history(workspace)]
    for told, remedy in found:
        yield bad("key-in-git", told, remedy)
    if not found:
        yield good("key-in-git", "git tracks no key file and ignores them all")
    for name in names:
        path = workspace.root / name
        folder = path.parent
        if path.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o022:
            yield warn(
                "key-folder",
                f"other users may write to {folder} and so replace {path.name}",
                f"chmod go-w {folder}",
            )


def _check_desired(declared: Declared) -> Check:
    findings = list(declared.findings)
    if has_errors(findings):
        errors = sum(item.severity == "error" for item in findings)
        return bad(
            "desired",
            f"the desired state has {count_noun(errors, 'error')}",
            "see them with `fsgitops validate`",
        )
    return good("desired", f"valid: {count_noun(len(declared.desired.of(Agent)), 'agent')}")


def _counts(resources: Iterable[Resource], kinds: Kinds) -> Iterator[str]:
    counts = Counter(resource.kind for resource in resources)
    return (count_noun(number, kinds[word].told) for word, number in counts.items())


def _check_secrets(workspace: Workspace, declared: Declared) -> Iterator[Check]:
    """Fetch every secret that is not left to be derived, and show none."""
    wishes = {
        resource_of(noun): kind.wishes(noun)
        for kind in workspace.kinds.values()
        for noun in declared.desired.of(kind.noun)
        if noun.enabled
    }
    named = {
        resource: wished
        for resource, wished in wishes.items()
        if any(wish.source for wish in wished)
    }
    if not named:
        yield good("secrets", "every secret is derived from the project key")
        return
    try:
        book = open_book(workspace, declared.desired)
    except SecretError:
        yield skip("secrets", "not checked: the project key cannot be used")
        return
    for resource, wished in named.items():
        book.reveal(resource, wished)
    for reason in list(book.unavailable)[:SHOWN]:
        yield warn("secrets", reason, "provide it here, or apply on the machine that has it")
    for finding in book.findings[:SHOWN]:
        make = bad if finding.severity == "error" else warn
        yield make("secrets", f"{finding.position}: {finding.message}", finding.hint)
    rest = len(book.unavailable) + len(book.findings) - 2 * SHOWN
    if rest > 0:
        yield warn("secrets", f"and up to {rest} more", "correct these first")
    if not book.unavailable and not book.findings:
        yield good(
            "secrets", f"the secrets of {', '.join(_counts(named, workspace.kinds))} can be read"
        )
