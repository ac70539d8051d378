"""Reload a switch and prove what it holds, for an apply."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from fsgitops.errors import ReloadRefusedError, SwitchError, SwitchUnreachableError
from fsgitops.homes.foreign import own_elements
from fsgitops.homes.pieces import name_owners
from fsgitops.homes.reload import end_rest, plan_reloads, run_reloads, turn_round
from fsgitops.live.connect import address_of, hold_target
from fsgitops.live.explain_mismatch import explain_mismatches
from fsgitops.model.applied import Ended, Held
from fsgitops.model.plan import Action, Danger
from fsgitops.routing.lines import find_names
from fsgitops.routing.veil import Veil
from fsgitops.steps.verify import Expected, verify_switch
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from fsgitops.homes.home import Address
    from fsgitops.model.applied import ReadBack, SwitchReply
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan, ReloadStep
    from fsgitops.model.resource import Resource
    from fsgitops.routing.merged import MergedConfig
    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace

SHOWN_MISMATCHES = 20

_BY_HAND = (
    "sofia profile PROFILE flush_inbound_reg EXT@DOMAIN; for mod_verto, each session that "
    "verto_contact EXT@DOMAIN names: verto noperm SESSION methods verto"
)


@dataclass(slots=True)
class SwitchProver:
    """One switch, for as long as one apply takes; connects again when the connection broke."""

    switch: Switch
    connect: Callable[[], Switch]
    target: Target
    plan: Plan
    expected: Expected
    follow: Callable[[Switch], Held] | None = None
    """Follows calls over what the switch holds."""
    _silent: bool = False
    """The last answer never came, or made no sense: this connection is not asked again."""

    def reload(self) -> SwitchReply:
        """Have the switch load the plan's files. Raises SwitchError unless it took all of it.

        `+OK [[error near line N]: why]` is a failure (docs/freeswitch.md, "Reloading"); N is told
        as the file and line that it came from.
        """
        return self._load(self.plan.reloads)

    def undo(self) -> str:
        """Have it load what stands there again, and end what began since; return what is not ended.

        Raises as `reload`.
        """
        address = address_of(self.target)
        changes = turn_round(self.plan.changes)
        steps = plan_reloads(changes, address, unloaded=self.plan.unloaded)
        self._load(steps)
        return end_late(self.switch, steps, address)

    def finish(self) -> Ended:
        """End what outlives the reload, and tell how much that was.

        A phone with a former password may come back, and that of a deleted agent must not. Raises
        SwitchError saying whose may go on.
        """
        names = dict.fromkeys(name for step in self.plan.reloads if step.late for name in step.of)
        if not names:
            return Ended()
        changes = (*self.plan.changes, *self.plan.unloaded)
        gone = {change.resource.name for change in changes if change.action is Action.DELETE}
        deleted = [name for name in names if name in gone]
        try:
            done = end_rest(self.switch, self.plan.reloads, address_of(self.target))
        except SwitchError as problem:
            told = "deleted agents" if deleted else "agents with a former password"
            raise SwitchError(
                f"everything is applied, but the registrations and mod_verto sessions of the {told}"
                f" ({', '.join(deleted or names)}) may not have ended: {problem}; end them by hand "
                f"({_BY_HAND})"
            ) from problem
        if left := sorted(done.left.intersection(deleted)):
            raise SwitchError(
                "everything is applied, but these deleted agents are still registered or logged "
                f"in: {', '.join(left)}; end that by hand ({_BY_HAND})"
            )
        kicked = [name for name in names if name not in gone]
        return Ended(
            done.count_phones(deleted),
            done.count_phones(kicked) + done.count_sessions(kicked),
            done.count_sessions(deleted),
        )

    def _load(self, steps: Sequence[ReloadStep]) -> SwitchReply:
        if self.switch.session.closed or (self._silent and not self.target.simulated):
            self.switch = self.connect()
        self._silent = True
        try:
            reply = run_reloads(
                self.switch,
                steps,
                address_of(self.target),
                timeout=self.target.esl.reload_timeout,
            )
        except ReloadRefusedError as refused:
            self._silent = False
            raise ReloadRefusedError(f"{refused}{self._source(refused.line)}") from None
        self._silent = False
        return reply

    def prove(self) -> ReadBack:
        """Read back every change. Raises SwitchError with all that is not as declared."""
        self._silent = True
        written = [item for item in self.plan.changes if item.dangers != (Danger.NOTHING,)]
        changes = (*written, *self.plan.unloaded)
        proof = verify_switch(self.switch, self.expected, changes, address_of(self.target))
        shown = explain_mismatches(proof.mismatches[:SHOWN_MISMATCHES], self.target, self.switch)
        self._silent = False
        if proof.mismatches:
            veil = self._draw_veil()
            lines = [f"  {veil.hide(str(item))}" for item in shown]
            more = len(proof.mismatches) - len(lines)
            rest = [f"  and {count_noun(more, 'more difference')}"] if more > 0 else []
            raise SwitchError(
                "the switch loaded the files but does not hold what they say:\n"
                + "\n".join(lines + rest)
            )
        return proof.held._replace(calls=self._follow_calls())

    def _follow_calls(self) -> Held:
        """Return what calls do now. Raises SwitchError with those that get nowhere."""
        if self.follow is None:
            return Held()
        self._silent = True
        held = self.follow(self.switch)
        self._silent = False
        if held.lost:
            veil = Veil(self.switch.global_variables())
            lines = [f"  {veil.hide(str(item))}" for item in held.lost[:SHOWN_MISMATCHES]]
            more = len(held.lost) - len(lines)
            lines += [f"  and {count_noun(more, 'more')}"] if more > 0 else []
            raise SwitchError(
                "the switch holds what the files say, and calls get lost all the same:\n"
                + "\n".join(lines)
            )
        return held

    def _draw_veil(self) -> Veil:
        """Return what hides the secrets that the changed files take in with `$${name}`."""
        files = (*self.expected.written.values(), *self.expected.before.values())
        texts = (content.decode("utf-8", "replace") for content in files)
        return Veil(self.switch.global_variables(), find_names(*texts))

    def _source(self, line: int | None) -> str:
        if line is None:
            return ""
        from fsgitops.routing.preprocess import load_merged

        try:
            return tell_source(load_merged(self.target.conf_dir), line)
        except (OSError, SwitchUnreachableError):
            return ""


def open_prover(
    stack: ExitStack,
    workspace: Workspace,
    plan: Plan,
    compiled: CompiledConfig,
    live: LiveConfig,
    follow: Callable[[Switch], Held] | None = None,
) -> SwitchProver:
    """Reach the switch, before any file is touched. Raises SwitchError when it is not there."""
    reach = stack.enter_context(hold_target(workspace.target, workspace.root))

    def connect() -> Switch:
        return stack.enter_context(reach())

    expected = _expect(plan, compiled, live, workspace.target.conf_dir)
    return SwitchProver(connect(), connect, workspace.target, plan, expected, follow)


def _expect(plan: Plan, compiled: CompiledConfig, live: LiveConfig, conf_dir: Path) -> Expected:
    """Return what the switch has to hold, what it was never told of as it stands on disk."""
    entries = live.manifest.entries

    @cache
    def owners(path: str) -> Mapping[str, Resource]:
        return name_owners(compiled.files.get(path), entries.get(path))

    stood = {path: file.content for path, file in live.files.items() if file.content is not None}
    written = {path: file.content for path, file in compiled.files.items() if not file.settled}
    for path in {item.path for item in plan.changes}:
        file, entry = compiled.files.get(path), entries.get(path)
        if (file and file.foreign) or (entry and entry.foreign):
            now, then = file.parts if file else (), entry.records if entry else ()
            written[path] = own_elements(file.content if file else b"", path, now)
            stood[path] = own_elements(stood.get(path, b""), path, then)
    unloaded = [item.path for item in plan.unloaded if item.action is not Action.DELETE]
    return Expected(
        written=written | {path: (conf_dir / path).read_bytes() for path in unloaded},
        before=stood,
        owners=owners,
    )


def end_late(switch: Switch, steps: Sequence[ReloadStep], address: Address) -> str:
    """End what outlives a reload; return what did not end, or "". Raises nothing for it."""
    if not any(step.late for step in steps):
        return ""
    try:
        left = end_rest(switch, steps, address).left
    except SwitchError as problem:
        return tell_unended(steps, problem)
    return f"still registered or logged in: {', '.join(sorted(left))}" if left else ""


def tell_unended(steps: Sequence[ReloadStep], problem: Exception) -> str:
    """Say whose phones may go on, and how a person ends that."""
    names = ", ".join(dict.fromkeys(name for step in steps if step.late for name in step.of))
    return (
        f"phones that are registered as {names} may go on: {problem}; end them by hand ({_BY_HAND})"
    )


def tell_source(merged: MergedConfig, line: int) -> str:
    """Say where the line that the switch named was written, as far as that can be known.

    Behind an `exec` the switch's text has lines that ours has not: then the line of our own reading
    that FreeSWITCH's parser would refuse is named, or nothing but the doubt.
    """
    source, doubt = merged.source_of_line(line), merged.find_doubt(line)
    if doubt is None:
        written = f"{source[0]}:{source[1]}" if source else ""
        return f"; line {line} of the merged configuration is {written}" if written else ""
    cause = f"`{doubt.what}` at {doubt.where}"
    told = f"; the file of line {line} is uncertain: only the switch knows what {cause} inserts"
    found = merged.find_error()
    if found and found[1]:
        told += f"; the files alone are not well formed at {found[1]}: "
        return f"{told}{found[0]}"
    return f"{told}; look at its output, and at the files read after it"
