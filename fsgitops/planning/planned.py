"""A plan and what it was made from: compared, chosen, costed, judged and finished."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.errors import SecretError, SwitchError
from fsgitops.findings import Finding, Position, Severity, quote_value, sort_findings
from fsgitops.homes import HOMES
from fsgitops.live.connect import address_of, connect_target
from fsgitops.model.desired import Desired
from fsgitops.model.plan import Action, Activity, Plan, ResourceActivity
from fsgitops.model.reading import holds_secrets
from fsgitops.model.review import read_source
from fsgitops.planning.shape import Demands, choose_changes, count_cost, weigh_plan
from fsgitops.planning.survey import ConfLook, survey_changes
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.steps.needs import find_disturbed
from fsgitops.visible import count_noun
from fsgitops.workspace.git import read_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.heard import Hearings
    from fsgitops.model.kind import Kinds
    from fsgitops.model.live import LiveConfig, Manifest
    from fsgitops.model.plan import Change
    from fsgitops.planning.astray import Followed
    from fsgitops.secret.key import ProjectKey
    from fsgitops.settings.target import Target
    from fsgitops.steps.plan import PlanContext, Survey
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.declare import Compilation, Declared
    from fsgitops.workspace.open import Workspace

SHOWN_UNAVAILABLE = 10
FAILING = "failing-test"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it was made from."""

    plan: Plan
    compilation: Compilation
    live: LiveConfig
    written: CompiledConfig
    """The files as the plan leaves them: what it does not change of one is as it stands."""
    kinds: Kinds
    notes: tuple[str, ...] = ()
    """What was done first: an interrupted apply that was finished or undone."""
    demands: Demands = field(default_factory=Demands)
    look: ConfLook | None = None
    """What was seen of the conf directory beside the files of fsgitops."""
    followed: Followed | None = None
    """What was seen of the calls that the plan is about."""
    heard: Hearings | None = None
    """Where calls end once the plan is applied, as far as that is known."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found in what is declared and compiled, and which tests fail."""
        found = self.compilation.declared.findings
        if not (self.plan.tests and self.plan.tests.failing):
            return found
        return tuple(sort_findings([*found, *find_failures(self.plan)]))

    def without_desired(self) -> Planned:
        """Return what it takes to apply the plan: 100,000 nouns, which made it, are 120 MB."""
        compilation, compiled = self.compilation, replace(self.compilation.compiled, dialled={})
        desired = Desired(sharded=compilation.declared.desired.sharded)
        declared = replace(compilation.declared, desired=desired)
        return replace(
            self,
            compilation=replace(compilation, declared=declared, compiled=compiled),
            written=compiled if self.written is compilation.compiled else self.written,
        )


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A plan that is known to change nothing (planning/remembered.py)."""

    plan: Plan
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()


def find_failures(plan: Plan) -> list[Finding]:
    """Return a finding for each expectation that fails: an error where an apply is refused."""
    refused = any(need.permission == "failing-tests" and not need.allowed for need in plan.needs)
    hint = "Correct what is declared or written by hand, or what is expected."
    return [
        Finding(
            FAILING,
            Severity.ERROR if refused else Severity.WARNING,
            read_source(item.source) or Position(item.source),
            f"{quote_value(item.name)} fails for a call to {item.call}: {item.tell()}",
            hint,
        )
        for item in (plan.tests.failing if plan.tests else ())
    ]


def observe(workspace: Workspace, planned: Planned, switch: Switch | None = None) -> Planned:
    """Ask the switch what the agents concerned are doing, and say what the plan needs for that.

    A plan that disturbs nobody asks nothing. Raises SwitchError only where `switch` is given: else
    why it is not known is part of the plan, which is the same without it.
    """
    plan, target = planned.plan, workspace.target
    try:
        if switch:
            plan = ask_activity(plan, switch, target)
        elif find_disturbed(plan):
            with connect_target(target, workspace.root) as reached:
                plan = ask_activity(plan, reached, target)
        else:
            plan = replace(plan, activity=Activity())
    except (SwitchError, SecretError, OSError) as problem:
        if switch:
            raise
        plan = replace(plan, activity=Activity(problem=str(problem)))
    weighed = weigh_plan(
        plan, planned.compilation, planned.live, workspace.target, planned.demands, workspace.kinds
    )
    return replace(planned, plan=weighed)


def ask_activity(plan: Plan, switch: Switch, target: Target) -> Plan:
    """Return the plan with what those whom it disturbs are doing now. Raises SwitchError."""
    disturbed = find_disturbed(plan)
    address = address_of(target)
    found = [
        ResourceActivity(changes[name].resource, *doing)
        for home in HOMES
        if (changes := disturbed.get(home.name))
        for name, doing in home.busy(
            switch, {name: change.login or name for name, change in changes.items()}, address
        ).items()
    ]
    return replace(plan, activity=Activity(tuple(found)))


def compare_live(workspace: Workspace, shown: Planned) -> Planned:
    """Read what is live now and plan against it again: under the lock, before an apply.

    A plan follows from what was compiled, what is live, the rest of the conf directory and the
    commit. Where all of that is as it was, so is the plan.
    """
    compilation = shown.compilation
    live = look_at_live(workspace, compilation)
    look = _look(workspace, compilation, live)
    commit, dirty = _read_commit(workspace)
    same = (commit, dirty) == (shown.plan.commit, shown.plan.dirty) and live == shown.live
    if same and not live.manifest.unloaded and shown.look and look.is_same(shown.look):
        return shown
    return make_plan(workspace, compilation, live, shown.demands, look=look)


def _look(workspace: Workspace, compilation: Compilation, live: LiveConfig) -> ConfLook:
    return ConfLook(workspace.target, {*compilation.compiled.files, *live.manifest.ours})


def look_at_live(
    workspace: Workspace, compilation: Compilation, manifest: Manifest | None = None
) -> LiveConfig:
    """Return what stands where a compilation writes, and what is managed already."""
    from fsgitops.steps.read_live import read_live

    expected = {
        path: "" if file.unknown else file.sha256
        for path, file in compilation.compiled.files.items()
    }
    target = workspace.target
    return read_live(target.conf_dir, target.state_dir, expected, manifest)


def compile_for(
    workspace: Workspace,
    declared: Declared,
    manifest: Manifest,
    *,
    fetch: bool = True,
    applies: bool = True,
    watch: Callable[[], None] = lambda: None,
) -> tuple[Compilation, LiveConfig]:
    """Compile what is declared, and read what stands where it writes.

    What an earlier apply settled is compiled where somebody has edited it since. `watch` is called
    in between; for `fetch`, see `compile_declared`. Where nothing is settled and nothing `applies`
    it, what the files follow from is not told: of 100,000 that takes a second.
    """
    from fsgitops.workspace.declare import compile_declared

    settled = manifest.entries
    asked = settled if settled or applies else None
    compilation = compile_declared(workspace, declared, asked, fetch=fetch)
    watch()
    found = look_at_live(workspace, compilation, manifest)
    if edited := find_edited(compilation.compiled, found):
        kept = {path: known for path, known in settled.items() if path not in edited}
        compilation = compile_declared(workspace, declared, kept, fetch=fetch)
    return compilation, found


def find_edited(compiled: CompiledConfig, live: LiveConfig) -> set[str]:
    """Return the settled paths where something else stands now: their content is needed."""
    return {
        path
        for path, file in compiled.files.items()
        if file.settled and live.files[path].sha256 != file.sha256
    }


def make_plan(
    workspace: Workspace,
    compilation: Compilation,
    live: LiveConfig,
    demands: Demands | None = None,
    *,
    judged: bool = True,
    look: ConfLook | None = None,
) -> Planned:
    """Compare, choose, count the cost, judge by the conf directory unless told not to, finish."""
    from fsgitops.steps.plan import compare_config, finish_plan

    wanted = demands or Demands()
    look = look or _look(workspace, compilation, live)
    context = make_context(
        workspace, unknown_secrets=_is_unknown(compilation), notes=compilation.notes, look=look
    )
    context = replace(context, declared=compilation.declared.desired.sources)
    digest = keyed(compilation.key)
    plan = compare_config(compilation.compiled, live, context, digest)
    plan, written = choose_changes(plan, compilation, live, wanted, workspace.kinds, digest)
    plan = count_cost(plan, live, workspace.target, kick_rotated=wanted.kick_rotated)
    followed = heard = None
    if judged:
        plan, followed, heard = _judge(workspace, compilation, live, plan, written, look)
    plan = weigh_plan(
        finish_plan(plan), compilation, live, workspace.target, wanted, workspace.kinds
    )
    return Planned(
        plan,
        compilation,
        live,
        written,
        workspace.kinds,
        demands=wanted,
        look=look,
        followed=followed,
        heard=heard,
    )


def _judge(
    workspace: Workspace,
    compilation: Compilation,
    live: LiveConfig,
    plan: Plan,
    written: CompiledConfig,
    look: ConfLook,
) -> tuple[Plan, Followed | None, Hearings | None]:
    """Judge a plan by the conf directory; return what was seen of calls as well."""
    from fsgitops.planning.ahead import Ahead
    from fsgitops.planning.analysis import judge_dialplan
    from fsgitops.planning.impact import find_impact
    from fsgitops.planning.reach import judge_reach

    ahead = Ahead(workspace, compilation, live, plan, written)
    plan, followed = judge_reach(workspace, compilation, plan, look, ahead)
    plan = judge_dialplan(workspace, compilation, plan, look)
    impact, heard = find_impact(compilation, plan, look, ahead)
    plan = replace(plan, impact=impact)
    if tests := compilation.declared.expected.enabled:
        from fsgitops.planning.expected import judge_expected

        plan = judge_expected(compilation, plan, tests, ahead)
    return plan, followed, heard


def make_context(
    workspace: Workspace,
    *,
    unknown_secrets: bool = False,
    notes: tuple[str, ...] = (),
    look: ConfLook | None = None,
) -> PlanContext:
    """Return what a plan says of its target, and of the commit that it is made from.

    `notes` are warnings that stand whatever changes. `look` is shared with who looks as well.
    """
    from fsgitops.steps.plan import PlanContext

    target, settings = workspace.target, workspace.settings
    commit, dirty = _read_commit(workspace)

    def survey(changes: Sequence[Change], managed: Collection[str]) -> Survey:
        ours = {*managed, *(item.path for item in changes if item.action is not Action.DELETE)}
        return survey_changes(look or ConfLook(target, ours), changes)

    blank = Plan(
        project=settings.project,
        target=target.name,
        conf_dir=str(target.conf_dir),
        domain=target.domain,
        commit=commit,
        dirty=dirty,
        simulated=target.simulated,
        unknown_secrets=unknown_secrets,
        warnings=notes,
    )
    secretive = [kind.word for kind in workspace.kinds.values() if holds_secrets(kind.noun)]
    return PlanContext(blank, survey, secretive=secretive)


def _read_commit(workspace: Workspace) -> tuple[str, bool]:
    """Return the commit that a plan is made from, and whether the files differ from it."""
    settings = workspace.settings
    return read_commit(workspace.root, [settings.desired, settings.templates, SETTINGS_FILE])


def plan_compiled(
    workspace: Workspace,
    compilation: Compilation,
    live: LiveConfig,
    notes: tuple[str, ...] = (),
    demands: Demands | None = None,
) -> Planned:
    """Plan against a live side that was not read here, and judge no conf directory."""
    from fsgitops.planning.alone import find_impact_alone

    planned = make_plan(workspace, compilation, live, demands, judged=False)
    impact = find_impact_alone(workspace, compilation, live, planned.plan, planned.written)
    return replace(planned, plan=replace(planned.plan, impact=impact), notes=notes)


def name_unavailable(compilation: Compilation) -> list[str]:
    """Return which secrets are not at hand, the first of them by name."""
    found = compilation.unavailable
    lines = [
        f"missing, shown as (known after apply): {reason}" for reason in found[:SHOWN_UNAVAILABLE]
    ]
    if len(found) > SHOWN_UNAVAILABLE:
        lines.append(f"missing: {count_noun(len(found) - SHOWN_UNAVAILABLE, 'more secret')}")
    return lines


def _is_unknown(compilation: Compilation) -> bool:
    """Tell whether this can be read only. The key also ties a plan to what it was made from."""
    files = compilation.compiled.files.values()
    return any(file.unknown or (compilation.key is None and file.secret_spans) for file in files)


def keyed(key: ProjectKey | None) -> Callable[[bytes], str]:
    """Return the digest that plans are made with: keyed, so that it gives no secret away."""
    from fsgitops.secret.key import keyed_digest

    return lambda data: keyed_digest(key, data) or ""
