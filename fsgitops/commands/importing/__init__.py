"""`fsgitops import`: what people wrote into a conf directory by hand, declared as YAML."""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.commands.importing.hiding import (
    PASSWORD,
    Hidden,
    find_recipients,
    find_shared,
    with_secrets,
    write_environment,
)
from fsgitops.commands.importing.look import find_unread, look_around, make_site
from fsgitops.durable import create_file, replace_file
from fsgitops.errors import UsageError
from fsgitops.findings import Severity
from fsgitops.live.connect import prepare_conf_dir
from fsgitops.model.imports import Brought, Imported, Reason
from fsgitops.model.noun import make_noun
from fsgitops.model.resource import Resource
from fsgitops.phone import Lengths
from fsgitops.settings.shapes import SETTINGS_FILE
from fsgitops.steps.check import check_desired
from fsgitops.steps.format_source.writing import Item, write_section
from fsgitops.steps.load import load_documents
from fsgitops.steps.load.plain import parse_file
from fsgitops.steps.resolve import resolve_desired
from fsgitops.workspace.declare import declare_desired
from fsgitops.workspace.settings_file import append_line, change_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsgitops.commands.importing.hiding import Hiding
    from fsgitops.commands.importing.look import Found
    from fsgitops.findings import Finding
    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Document
    from fsgitops.workspace.declare import Declared
    from fsgitops.workspace.open import Workspace

PER_FILE = 10_000
"""Items of one file: 10,000 agents with ciphertexts take 8 MB, and 10 MB are read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to import: where to, how secrets are kept, and whether files may be replaced.

    `whole`: nothing is written where anything is left out.
    """

    out: str
    hiding: Hiding = "age"
    dry_run: bool = False
    force: bool = False
    whole: bool = False


def run_import(workspace: Workspace, wanted: Wanted) -> Imported:
    """Declare what stands in a target's conf directory; with `dry_run`, write nothing.

    What no resource can say is left where it is, and told. Raises UsageError where a file would be
    overwritten or a setting cannot be added, SecretError, and MergeError where FreeSWITCH would
    refuse the conf directory.
    """
    prepare_conf_dir(workspace.target)
    return _Import(workspace, wanted, look_around).run()


def run_table(workspace: Workspace, wanted: Wanted, table: Found) -> Imported:
    """Declare what a table says; with `dry_run`, write nothing.

    Each row is declared as a whole, or left and told. Raises as `run_import`.
    """
    return _Import(workspace, wanted, lambda *_: table).run()


class _Import:
    def __init__(
        self,
        workspace: Workspace,
        wanted: Wanted,
        look: Callable[[Workspace, Declared], Found],
    ) -> None:
        self.look = look
        self.workspace = workspace
        self.wanted = wanted
        self.defaults = workspace.settings.defaults
        self.hidden = Hidden(wanted.hiding, workspace.target.domain)
        self.found: Found
        self.declared = 0
        self.places: tuple[tuple[str, str], ...] = ()
        self.documents: list[Document] = []
        self.blank: set[str] = set()
        """The files that declare nothing yet, such as `init` makes: those may be replaced."""

    def run(self) -> Imported:
        workspace, wanted = self.workspace, self.wanted
        declared = declare_desired(workspace)
        self.found = found = self.look(workspace, declared)
        self.documents, _ = load_documents(workspace.root, workspace.settings.desired)
        self.blank = {each.path for each in self.documents if not any(each.data.values())}
        self._leave_declared(declared.desired)
        self._leave_passwordless()
        self.hidden.shared = find_shared(found.brought)
        lines = self._check()
        if not found.columns:
            site = make_site(workspace, declared)
            self.places = tuple(find_unread(workspace, site, found.brought))
        if wanted.whole and found.kept:
            self.wanted = wanted = replace(wanted, dry_run=True)
        groups = self._group()
        self._refuse_existing(groups)
        if wanted.hiding == "age" and not wanted.dry_run and any(x.secrets for x in found.brought):
            self.hidden.recipients, line = find_recipients(workspace)
            lines += [line] if line else []
        self.hidden.lines.clear()
        texts = {path: self._write(items) for path, items in groups.items()}
        secrets_file = "" if wanted.dry_run else self._save(texts, lines)
        return self._tell(groups, lines, secrets_file)

    def _leave_declared(self, desired: Desired) -> None:
        """Leave out what is declared already, unless its file is replaced."""
        replaced = self._group() if self.wanted.force else {}
        found, self.found.brought = self.found.brought, []
        for item in found:
            place = desired.sources.get(Resource(item.kind, item.name))
            if place is None or place.file in replaced:
                self.found.brought.append(item)
            else:
                self.declared += 1

    def _leave_passwordless(self) -> None:
        """Leave users without a password: an agent would get one, and its phone would not know."""
        if self.wanted.hiding == "derive":
            return
        every, self.found.brought = self.found.brought, []
        for item in every:
            if PASSWORD not in item.again:
                self.found.brought.append(item)
                continue
            why = f"{item.again[PASSWORD]}; --secrets derive gives it a password"
            self.found.keep(item, f"{item.kind} {item.name}", Reason(item.place, why))

    def _check(self) -> list[str]:
        """Leave whatever the project's rules refuse; return what the settings have to say."""
        while True:
            lines, lengths, own = self._find_settings()
            findings, items = self._judge(lengths, own)
            if not findings:
                return lines
            for number, told in findings.items():
                item = items[number]
                why = [Reason(item.place, f"{one.message}. {one.hint}".strip()) for one in told]
                self.found.keep(item, f"{item.kind} {item.name}", *why)
            self.found.brought = [
                item for number, item in enumerate(items) if number not in findings
            ]

    def _judge(
        self, lengths: Lengths, own: Sequence[str]
    ) -> tuple[dict[int, list[Finding]], list[Brought]]:
        """Return the errors of items by their numbers, and the items in the order of the files."""
        workspace, replaced = self.workspace, set[str]()
        documents: list[Document] = []
        items: list[Brought] = []
        starts: list[tuple[str, int, int]] = []
        for path, group in self._group().items():
            document, wrong = parse_file(path, self._write(group).encode())
            assert document is not None, wrong
            documents.append(document)
            replaced.add(path)
            places = document.item_positions[self._section(group)]
            starts += [(path, place.line, len(items) + at) for at, place in enumerate(places)]
            items += group
        kept = [each for each in self.documents if each.path not in replaced]
        settings = workspace.settings
        desired, findings = resolve_desired(
            [*kept, *documents],
            workspace.readable,
            defaults=self.defaults,
            default_region=settings.default_region,
            settings=workspace.document,
            own_variables=own,
            lengths=lengths,
        )
        desired = replace(desired, sharded=workspace.target.layout == "sharded")
        findings += check_desired(
            desired, [*kept, *documents], settings.rules, workspace.readable,
            settings=workspace.document,
        )  # fmt: skip
        starts.sort()
        wrong_items: dict[int, list[Finding]] = {}
        for finding in findings:
            if finding.position.file in replaced and finding.severity is Severity.ERROR:
                at = bisect_right(starts, (finding.position.file, finding.position.line, 1 << 60))
                wrong_items.setdefault(starts[max(at - 1, 0)][2], []).append(finding)
        return wrong_items, items

    def _find_settings(self) -> tuple[list[str], Lengths, list[str]]:
        """Return the lines that the settings lack, and the lengths and variables they then name.

        Raises UsageError where such a setting is there already, and says something else.
        """
        workspace, lines = self.workspace, list[str]()
        lengths, own = workspace.settings.extensions.lengths, [*workspace.settings.variables.allow]
        agents = [item for item in self.found.brought if "extension" in item.values]
        sizes = [len(str(item.values["extension"])) for item in agents]
        wider = Lengths(min([lengths.shortest, *sizes]), max([lengths.longest, *sizes]))
        if wider != lengths:
            value = f"[{wider.shortest}, {wider.longest}]"
            lines.append(self._setting("extensions", "digits", value))
        more = sorted({name for item in self.found.brought for name in item.own} - {*own})
        if more:
            value = f"[{', '.join([*own, *more])}]"
            lines.append(self._setting("variables", "allow", value))
        return lines, wider, [*own, *more]

    def _setting(self, section: str, name: str, value: str) -> str:
        if section in self.workspace.document.data:
            raise UsageError(
                f"{SETTINGS_FILE}: set `{section}: {{{name}: {value}}}` first: what is imported "
                "needs it, and the setting is there already"
            )
        return f"{section}: {{{name}: {value}}}\n"

    def _section(self, items: Sequence[Brought]) -> str:
        return self.workspace.kinds[items[0].kind].section

    def _group(self) -> dict[str, list[Brought]]:
        """Return the items of each file."""
        groups: dict[str, list[Brought]] = {}
        for word, kind in self.workspace.kinds.items():
            items = [item for item in self.found.brought if item.kind == word]
            for at in range(0, len(items), PER_FILE):
                part = f"_{at // PER_FILE + 1}" if at else ""
                path = Path(self.wanted.out) / f"{kind.section}{part}.yaml"
                groups[str(path)] = items[at : at + PER_FILE]
        return groups

    def _write(self, items: Sequence[Brought]) -> str:
        return write_section(self._section(items), map(self._item, items))

    def _item(self, item: Brought) -> Item:
        """Return the fields that have to be written, in the order of the noun's class."""
        kind = self.workspace.kinds[item.kind]
        noun, _ = make_noun(kind.noun, item.values)
        sources = self.hidden.describe(item)
        said = self.defaults.get(kind.section, {})
        values = with_secrets(item.values, sources)
        tops = {name.partition(".")[0] for name in sources}
        kept = {
            name: _short(values[name])
            for name, info in kind.noun.model_fields.items()
            if name in values
            and (
                info.is_required()
                or name in said
                or name in tops
                or noun is None
                or getattr(noun, name) != kind.defaults.get(name, info.default)
            )
        }
        return Item(kept, item.comments)

    def _refuse_existing(self, groups: Mapping[str, object]) -> None:
        root, force = self.workspace.root, self.wanted.force
        there = [path for path in groups if os.path.lexists(root / path) if path not in self.blank]
        if there and not force and not self.wanted.dry_run:
            raise UsageError(
                f"{', '.join(there)}: there already, and nothing was written; name another folder "
                "with --out, or replace them with --force"
            )

    def _save(self, texts: Mapping[str, str], lines: Sequence[str]) -> str:
        root, written = self.workspace.root, ""
        if self.hidden.lines:
            written = str(write_environment(self.workspace, self.hidden.lines))
        for path, text in texts.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            write = replace_file if self.wanted.force or path in self.blank else create_file
            try:
                write(place, text.encode())
            except OSError as problem:
                raise UsageError(f"{path}: {problem.strerror}") from None
        if lines:
            change_settings(root, lambda text: _append(text, lines))
        return written

    def _tell(
        self, groups: Mapping[str, Sequence[Brought]], lines: Sequence[str], secrets_file: str
    ) -> Imported:
        found, derive = self.found, self.wanted.hiding == "derive"
        target = self.workspace.target
        agents = [item for item in found.brought if _logs_in(item)]
        again = {x.name: x.again.get(PASSWORD, "it gets a new password") for x in agents if derive}
        if found.columns and agents and not derive:
            again = {
                item.name: "the table has no password for it"
                for item in found.brought
                if PASSWORD not in {*item.secrets, *item.values}
            }
        pins = {
            item.name: item.again.get(name, "it gets a new one")
            for item in agents
            for name in sorted({*item.secrets, *item.again} - {PASSWORD})
            if derive or name in item.again
        }
        return Imported(
            target.name, str(target.conf_dir), self.wanted.dry_run,
            {path: len(items) for path, items in groups.items()},
            tuple(found.brought), tuple(found.kept), self.declared + found.managed, again, pins,
            frozenset() if derive else self.hidden.shared, tuple(line.strip() for line in lines),
            secrets_file, tuple(found.lost_comments), found.columns, found.unread, self.places,
            found.realms if agents and (derive or not _are_hashes(agents)) else (),
        )  # fmt: skip


def _append(text: str, lines: Sequence[str]) -> str:
    for line in lines:
        text = append_line(text, line)
    return text


def _logs_in(item: Brought) -> bool:
    return PASSWORD in item.again or (PASSWORD in item.secrets and item.secrets[PASSWORD].login)


def _are_hashes(agents: Sequence[Brought]) -> bool:
    return all(PASSWORD in item.secrets and item.secrets[PASSWORD].hashed for item in agents)


def _short(value: object) -> object:
    return value["enabled"] if isinstance(value, dict) and value.keys() == {"enabled"} else value
