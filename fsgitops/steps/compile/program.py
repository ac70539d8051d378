"""A template as a program: loaded in a sandbox, and proved before and after it is run.

Users edit templates, and values come from files that others wrote, so neither is trusted: there is
no way to switch escaping off, and every rendering is compared with the proved skeleton. Of a
template that can only put values out, no more than the first file of a shape is rendered: the
others are that skeleton, filled.
"""

from __future__ import annotations

from functools import lru_cache
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import jinja2
from jinja2 import nodes
from markupsafe import escape

from fsgitops.errors import FsgitopsError
from fsgitops.findings import Finding, Position, error, quote_value
from fsgitops.model.compiled import UNKNOWN
from fsgitops.model.draft import DraftError, paths_of, refill, texts_of
from fsgitops.model.plan import is_secret
from fsgitops.routing.fragment import FragmentError, flatten_fragment
from fsgitops.routing.pattern import is_valid, match_groups
from fsgitops.routing.skeleton import NEUTRAL, WORD, Skeleton, neutral_words, spans
from fsgitops.steps.compile.sandbox import Opaque, all_noticed, new_sandbox

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
    from types import CodeType

    from fsgitops.model.draft import Draft, Leaf, Templates
    from fsgitops.steps.compile.sandbox import Sandbox

RULE: Final = "template"


class TemplateError(FsgitopsError):
    """A template cannot be used; carries the finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Rendering(NamedTuple):
    """The bytes of a file, the spans of its secrets, and whether these are not known.

    `only` is the tag of the one element that is in it, "" where there is more.
    """

    content: bytes
    secret_spans: tuple[tuple[int, int], ...]
    unknown: bool
    only: str = ""


class _Proven(NamedTuple):
    """What a template makes of drafts of one shape.

    `hidden` are the numbers of the values that are secret, and `secret` the holes that these fill.
    `expressions` hold made-up words for values.
    `longest`: with texts that have so many characters together, the template is known to give the
    skeleton with them in it. 0 where it has to be rendered.
    """

    skeleton: Skeleton
    hidden: tuple[int, ...]
    secret: tuple[int, ...]
    expressions: tuple[str, ...]
    longest: int
    places: dict[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]
    """The spans of secrets, each kept once: files of one shape have few."""


class Program:
    """One template, ready to render and to prove what it rendered.

    `noticed` says that all that it might do with a value is noticed in a rendering of opaque ones.
    """

    __slots__ = ("_length", "_noticed", "_proven", "_sandbox", "_template", "file")

    def __init__(
        self, file: str, template: jinja2.Template, sandbox: Sandbox, length: int, *, noticed: bool
    ) -> None:
        self.file = file
        self._template = template
        self._sandbox = sandbox
        self._length = length
        self._noticed = noticed
        self._proven: dict[Hashable, _Proven] = {}

    def run(
        self, draft: Draft, kind: str, shape: Hashable, values: Sequence[str]
    ) -> Rendering | None:
        """Return what the template makes of a draft, or None where it is not what was declared.

        `shape` and `values` are what the draft reads; no value is unsafe (rules/texts.py). Each
        `kind` asks for other things, so what is proved for one is not proved for another.

        Raises:
            TemplateError: the template fails, or is not usable at all.
            DraftError: a value in an expression makes one that does not match what is dialled.
        """
        # Values hold no control characters, so all of them can be escaped in one go.
        joined = "\x1f".join(values)
        escaped = str(escape(joined)).split("\x1f") if _has_markup(joined) else values
        case = kind, draft.hidden, shape
        known = self._proven.get(case)
        if known is not None and len(joined) <= known.longest:
            filled = known.skeleton.fill(escaped)
            content = "".join(filled).encode()
            if b"x-pre-process" not in content.lower():
                return _finish(draft, known, values, filled, content)
        content = self.render({**draft.values, **draft.choices})
        known = known or self._prove(draft)
        self._proven[case] = known
        filled = known.skeleton.fill(escaped)
        if content != "".join(filled).encode() or not known.skeleton.matches(content, values):
            # Whatever was proved of this shape, one file of it is not so: fill none from here on.
            self._proven[case] = known._replace(longest=0)
            return None
        return _finish(draft, known, values, filled, content)

    def _prove(self, draft: Draft) -> _Proven:
        paths = [*paths_of(draft.values)]
        words = neutral_words(len(paths))
        neutral = _refill(draft.values, words)
        skeleton = self._new_skeleton(draft, neutral)
        hidden = tuple(number for number, path in enumerate(paths) if path in draft.hidden)
        secret, longest = skeleton.holes_of(hidden), self._find_longest(draft, skeleton, words)
        return _Proven(skeleton, hidden, secret, _find_expressions(skeleton), longest, {})

    def _find_longest(self, draft: Draft, skeleton: Skeleton, words: Sequence[str]) -> int:
        """Return `longest` of what is proved: the template is given values that give nothing away.

        If it makes the skeleton of them, and each hole of it is one of them that was put out, then
        it does the same with any values, step by step.
        """
        if not (self._noticed and skeleton.fillable):
            return 0
        opaque = _refill(draft.values, map(Opaque, words))
        try:
            text = self.render({**opaque, **draft.choices}).decode()
        except TemplateError:
            return 0
        return self._sandbox.longest(skeleton.holes) if text == skeleton.text else 0

    def _new_skeleton(self, draft: Draft, neutral: Mapping[str, Any]) -> Skeleton:
        text = self.render({**neutral, **draft.choices}).decode()
        try:
            skeleton = Skeleton(text)
        except FragmentError as failure:
            lines = text.split("\n")
            shown = lines[failure.line - 1].strip() if failure.line <= len(lines) else ""
            raise self._refuse(
                1,
                f"the template does not render XML that FreeSWITCH can read: {failure}: {shown}",
                "<include> and </include> stand alone on their lines, everything else is XML",
            ) from None
        problems = [f"it puts a value into {kind}" for kind in skeleton.misplaced]
        if skeleton.directives:
            problems.append("it holds a preprocessor directive")
        problems += _tell_shown(draft, text, neutral)
        problems += draft.prove(skeleton.elements(), neutral)
        if problems:
            hint = "values go into attribute values, each of them once, unaltered"
            raise self._refuse(1, f"the template is not usable: {'; '.join(problems)}", hint)
        return skeleton

    def render(self, context: dict[str, Any]) -> bytes:
        """Return what the template makes of these. Raises TemplateError where it fails."""
        self._sandbox.refill(self._length)
        try:
            return self._template.render(context).encode()
        except Exception as problem:  # a template is a program: it can raise anything
            line = _line_of(problem, self.file)
            message = f"the template fails: {problem or type(problem).__name__}"
            hint = "correct it, or remove the file to use the packaged one"
            raise self._refuse(line, message, hint) from None

    def _refuse(self, line: int, message: str, hint: str) -> TemplateError:
        return TemplateError(error(RULE, Position(self.file, line), message, hint))


class Programs:
    """The templates as programs, each loaded when it is asked for first."""

    __slots__ = ("_length", "_loaded", "_sandbox", "_templates", "_trees", "findings")

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        loader = _Checked()
        self._sandbox = new_sandbox(loader)
        self._trees: dict[str, nodes.Template] = {}
        self._length = sum(map(len, templates.sources.values()))
        self._loaded: dict[str, Program | None] = {}
        self.findings = [
            finding
            for name, source in sorted(templates.sources.items())
            for finding in self._check(name, source, loader)
        ]
        """What is wrong with any of them: none is used while there is something."""

    def _check(self, name: str, source: str, loader: _Checked) -> list[Finding]:
        """Return what is wrong with a template; one that can be compiled can be loaded from now."""
        file = self._templates.file(name)
        try:
            tree, loader.codes[name] = _compile(name, source, file)
            self._trees[name] = tree
        except jinja2.TemplateSyntaxError as problem:
            message = f"the template is not usable: {problem.message}"
            hint = "filters that mark text as safe, or that give random results, do not exist here"
            return [error(RULE, Position(file, problem.lineno), message, hint)]
        except (RecursionError, MemoryError, UnicodeError) as problem:
            message = f"the template cannot be compiled: {type(problem).__name__}"
            return [error(RULE, Position(file), message, "make it simpler")]
        return _check_tree(tree, source, file)

    def get(self, name: str) -> Program | None:
        """Return a template's program, or None where it cannot be used: then a finding says why."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def run(
        self, draft: Draft, kind: str, shape: Hashable, values: Sequence[str]
    ) -> Rendering | None:
        """Return what `Program.run` does; None where the template is broken, as one finding says.

        Raises:
            DraftError: what the template makes is not what was declared.
        """
        program = self.get(draft.template)
        if program is None:
            return None
        try:
            rendering = program.run(draft, kind, shape, values)
        except TemplateError as problem:
            self._loaded[draft.template] = None
            self.findings.append(problem.finding)
            return None
        if rendering is None:
            reason = f"{program.file} does not give back the declared values as they are"
            raise DraftError([reason], "let the template insert each value as it is")
        return rendering

    def _load(self, name: str) -> Program | None:
        if self.findings:
            return None
        file = self._templates.file(name)
        if name not in self._templates.sources:
            self.findings.append(error(RULE, Position(file), f"the template {name} is missing"))
            return None
        template = self._sandbox.get_template(name)
        noticed = self.is_noticed(name, set())
        return Program(file, template, self._sandbox, self._length, noticed=noticed)

    def is_noticed(self, name: str, seen: set[str]) -> bool:
        """Tell whether nothing that a template does with a value goes unnoticed."""
        if name in seen:
            return True
        seen.add(name)
        tree = self._trees[name]
        included = (getattr(node.template, "value", "") for node in tree.find_all(nodes.Include))
        return all_noticed(tree) and all(
            within in self._trees and self.is_noticed(within, seen) for within in included
        )


@lru_cache(maxsize=64)
def _compile(name: str, source: str, file: str) -> tuple[nodes.Template, CodeType]:
    """Parse and compile a template, once for all plans of a process. Raises what Jinja2 raises."""
    sandbox = new_sandbox(jinja2.BaseLoader())
    tree = sandbox.parse(source, name, file)
    return tree, sandbox.compile(tree, name, file)


class _Checked(jinja2.BaseLoader):
    """Loads a template as it was compiled when it was checked."""

    def __init__(self) -> None:
        self.codes: dict[str, CodeType] = {}

    def load(
        self,
        environment: jinja2.Environment,
        name: str,
        globals: Any = None,  # noqa: A002
    ) -> jinja2.Template:
        """Return a template, for itself or for one that includes it."""
        if name not in self.codes:
            raise jinja2.TemplateNotFound(name)
        variables = environment.make_globals(globals)
        return jinja2.Template.from_code(environment, self.codes[name], variables)


def _check_tree(tree: nodes.Template, source: str, file: str) -> list[Finding]:
    findings = []
    looked_at = (nodes.EvalContextModifier, nodes.Getattr, nodes.Getitem, nodes.For)
    for node in tree.find_all(looked_at):
        reason = _refused(node)
        if reason:
            findings.append(error(RULE, Position(file, node.lineno), reason, "remove it"))
    if NEUTRAL in source:
        message = f"the template holds {NEUTRAL}, which stands for values while it is proved"
        findings.append(error(RULE, Position(file), message, "choose another word"))
    return findings


def _refused(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.EvalContextModifier):
        return "the template switches escaping: it stays on everywhere"
    if isinstance(node, nodes.For) and node.recursive:
        return "the template has a recursive loop"
    name: object = None
    if isinstance(node, nodes.Getattr):
        name = node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        name = node.arg.value
    if isinstance(name, str) and name.startswith("_"):
        return f"the template reaches for {name}: only what it is given may be used"
    return None


def _finish(
    draft: Draft, known: _Proven, values: Sequence[str], filled: Sequence[str], content: bytes
) -> Rendering:
    """Return a rendering that is right, once its expressions are, and where its values meet."""
    made = known.skeleton.make_together(values)
    if made:
        reason = f"{draft.template} makes {made}, which FreeSWITCH acts on, where it puts values"
        raise DraftError([reason], "put something between values, and before and behind them")
    if known.expressions or draft.dialled:
        _check_expressions(known.expressions, values, draft)
    unknown = known.hidden and UNKNOWN in [values[number] for number in known.hidden]
    found = spans(filled, known.secret)
    only = known.skeleton.only
    return Rendering(content, known.places.setdefault(found, found), bool(unknown), only)


def _has_markup(text: str) -> bool:
    return "&" in text or '"' in text or "'" in text or "<" in text or ">" in text


def _refill(values: Mapping[str, Leaf], words: Iterable[Any]) -> dict[str, Any]:
    left = iter(words)
    return {name: refill(leaf, left) for name, leaf in values.items()}


def _tell_shown(draft: Draft, text: str, neutral: Mapping[str, Leaf]) -> Iterator[str]:
    """Yield where a secret stands under a name that plans show the value of."""
    words = zip(paths_of(neutral), texts_of(neutral), strict=True)
    hidden = [word for path, word in words if path in draft.hidden]
    for name, value in flatten_fragment(text.encode()).items() if hidden else ():
        if any(word in value for word in hidden) and not is_secret(name, value):
            yield (
                f"a secret stands in {name}, whose value is shown: FreeSWITCH takes it as well in "
                "a param, or as NAME_password=…"
            )


def _find_expressions(skeleton: Skeleton) -> tuple[str, ...]:
    """Return the expressions into which a template puts a value."""
    found = (at.get("expression", "") for _, at in skeleton.elements())
    return tuple(expression for expression in found if NEUTRAL in expression)


def _check_expressions(expressions: Sequence[str], values: Sequence[str], draft: Draft) -> None:
    """Raise DraftError where FreeSWITCH would only log what it cannot compile, and match nothing.

    A number that is dialled has to match as well: `1*2` is an expression, and another one.
    """
    filled = [WORD.sub(lambda word: values[int(word[1])], text) for text in expressions]
    told = [
        f"the expression {quote_value(text)} of {draft.template} is not a regular expression"
        for text in filled
        if not is_valid(text)
    ] or [
        f"no expression of {draft.template} matches {quote_value(number)}, which is dialled"
        for number in draft.dialled
        if not any(match_groups(number, text) for text in filled)
    ]
    if told:
        raise DraftError(told, "characters such as + and * need a backslash in the template")


def _line_of(problem: BaseException, file: str) -> int:
    trace = walk_tb(problem.__traceback__)
    lines = [line for frame, line in trace if frame.f_code.co_filename == file]
    return lines[-1] if lines else 1
