"""Reload a switch and prove what it holds, for an apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsgitops.errors import ReloadRefusedError, SwitchError, SwitchUnreachableError
from fsgitops.model.applied import ReadBack, SwitchReply
from fsgitops.model.plan import FLUSH_CACHE, Danger
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.model.plan import Plan
    from fsgitops.routing.merged import MergedConfig
    from fsgitops.routing.veil import Veil
    from fsgitops.settings import Target
    from fsgitops.steps.verify import Expected
    from fsgitops.switch.client import Switch

SHOWN_MISMATCHES = 20


@dataclass(slots=True)
class SwitchProver:
    """One switch, for as long as one apply takes; connects again when the connection broke."""

    switch: Switch
    reconnect: Callable[[], Switch]
    target: Target
    plan: Plan
    expected: Expected
    _reopened: list[Switch] = field(default_factory=list)
    _silent: bool = False
    """The last answer never came, or made no sense: this connection is not asked again."""

    def reload(self) -> SwitchReply:
        """Reload the configuration. Raises SwitchError unless the switch took all of it.

        `+OK [[error near line N]: why]` is a failure (docs/freeswitch.md, "Reloading"); N is told
        as the file and line that it came from. Users that FreeSWITCH has cached outlive a reload
        (docs/freeswitch.md, "Directory"), so the cache is flushed where the plan has users.
        """
        if self.switch.session.closed or (self._silent and not self.target.simulated):
            self.switch = self.reconnect()
            self._reopened.append(self.switch)
        self._silent = True
        reply = self.switch.reload_xml(timeout=self.target.esl.reload_timeout)
        self._silent = False
        if not reply.ok:
            raise ReloadRefusedError(
                f"reloadxml: the switch said {reply.text!r}{self._source(reply.line)}"
            )
        if any(step.command == FLUSH_CACHE for step in self.plan.reloads):
            self._silent = True
            self.switch.flush_user_cache()
            self._silent = False
        return SwitchReply("reloadxml", reply.text)

    def prove(self) -> ReadBack:
        """Read back every change. Raises SwitchError with all that is not as declared."""
        from fsgitops.live.connect import address_of
        from fsgitops.live.explain_mismatch import explain_mismatches
        from fsgitops.steps.verify import verify_switch

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
        return proof.held

    def _draw_veil(self) -> Veil:
        """Return what hides the secrets that the changed files take in with `$${name}`."""
        from fsgitops.routing.veil import Veil, find_references

        files = (*self.expected.written.values(), *self.expected.before.values())
        texts = (content.decode("utf-8", "replace") for content in files if b"$${" in content)
        return Veil(self.switch.global_variables(), find_references(*texts))

    def flush(self, agents: list[str]) -> tuple[int, list[str]]:
        """End the registrations of deleted agents; return how many, and who is still registered."""
        profile, domain = self.target.profile, self.target.domain
        gone = set(agents)
        held = [item.user for item in self.switch.registrations(profile) if item.domain == domain]
        for name in sorted(gone.intersection(held)):
            self.switch.flush_registrations(name, domain, profile)
        left = [item.user for item in self.switch.registrations(profile) if item.domain == domain]
        return len(gone.intersection(held)), sorted(gone.intersection(left))

    def end_verto(self, agents: list[str]) -> tuple[int, list[str]]:
        """End the mod_verto sessions of deleted agents; return how many, and who still has one."""
        domain, gone = self.target.domain, set(agents)
        users = {one.user for one in self.switch.verto_users() if one.domain == domain}
        ended, left = 0, []
        for name in sorted(gone & users):
            done, failed = self.switch.end_verto_sessions(name, domain)
            ended += done
            left += [name] if failed else []
        return ended, left

    def close(self) -> None:
        """Close the connections that were opened again."""
        for switch in self._reopened:
            switch.close()

    def _source(self, line: int | None) -> str:
        if line is None:
            return ""
        from fsgitops.routing.preprocess import load_merged

        try:
            return tell_source(load_merged(self.target.conf_dir), line)
        except (OSError, SwitchUnreachableError):
            return ""


def tell_source(merged: MergedConfig, line: int) -> str:
    """Say where the line that the switch named was written, as far as that can be known.

    Behind an `exec` the switch's text has lines that ours has not: then the line of our own reading
    that FreeSWITCH's parser would refuse is named, or nothing but the doubt.
    """
    source, doubt = merged.source_of_line(line), merged.find_doubt(line)
    if doubt is None:
        written = f"{source[0]}:{source[1]}" if source else ""
        return f"; line {line} of the merged configuration is {written}" if written else ""
    cause = f"`{doubt.what}` at {doubt.where.file}:{doubt.where.line}"
    told = f"; the file of line {line} is uncertain: only the switch knows what {cause} inserts"
    found = merged.find_error()
    if found and found[1]:
        told += f"; the files alone are not well formed at {found[1].file}:{found[1].line}: "
        return f"{told}{found[0]}"
    return f"{told}; look at its output, and at the files read after it"
