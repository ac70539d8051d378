"""Jinja2's sandbox with a budget: whatever a template does, it ends soon and stays small.

The budget counts steps and not seconds, so the same template passes or fails on every machine.
"""

from __future__ import annotations

from collections.abc import MappingView
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.compiler import CodeGenerator
from jinja2.sandbox import ImmutableSandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import jinja2
    from jinja2.compiler import Frame
    from jinja2.runtime import Context

STEPS: Final = 200_000
"""What one rendering may spend; an agent with 100 variables spends under 10,000."""
_LONGEST: Final = 65_536
"""The longest text or list that a template may make, and the greatest number it may call with."""
_PRODUCT: Final = 4_000_000
_BITS: Final = 1024
_CHARACTERS: Final = 64
# Nothing that marks text as safe, and nothing that gives another result on another day.
_FILTERS: Final = (
    *("count", "default", "d", "dictsort", "e", "escape", "first", "float", "forceescape", "int"),
    *("items", "join", "last", "length", "list", "lower", "max", "min", "replace", "sort"),
    *("string", "sum", "title", "trim", "unique", "upper"),
)
_GLOBALS: Final = ("range", "dict", "namespace", "joiner", "cycler")
# They take a width from a text, which no check of arguments sees.
_FORMATTING: Final = frozenset(("format", "format_map"))


# What can do nothing with a value that goes unnoticed: each of these that does anything but put it
# out asks the value itself, and an Opaque one objects.
_NOTICED: Final = (
    *(nodes.Template, nodes.TemplateData, nodes.Output, nodes.Assign, nodes.For, nodes.If),
    *(nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Tuple, nodes.CondExpr),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Include),
)
_NOTICED_FILTERS: Final = ("items",)
_NOTICED_TESTS: Final = ("defined", "undefined")


def all_noticed(tree: nodes.Template) -> bool:
    """Tell whether nothing that a template does with an Opaque value goes unnoticed."""
    named = {nodes.Filter: _NOTICED_FILTERS, nodes.Test: _NOTICED_TESTS}
    return all(
        node.name in named[type(node)]
        if isinstance(node, nodes.Filter | nodes.Test)
        else isinstance(node, _NOTICED)
        for node in tree.find_all(nodes.Node)
    )


class DecidedError(Exception):
    """A template does more with a value than to put it out."""


class Opaque:
    """Stands for a value of which nothing can be learned: it can be put out, and nothing else.

    What a template makes of these, it makes of any values. Whatever Python would do without asking
    the value's own type raises DecidedError here; all else raises TypeError by itself.
    """

    __slots__ = ("_word",)

    def __init__(self, word: str) -> None:
        self._word = word

    def __html__(self) -> str:
        return self._word

    def _decide(self, *_given: object) -> Any:
        raise DecidedError

    __bool__ = __eq__ = __hash__ = __str__ = __repr__ = _decide
    __getattr__ = __getitem__ = __index__ = _decide


_PLAIN: Final = (str, int, float, type(None), Undefined, Opaque)
_CONTAINERS: Final = (list, tuple, dict, range, MappingView)


class TooMuchError(Exception):
    """A template wants more steps, or larger values, than one file can need."""

    def __init__(self, what: str) -> None:
        super().__init__(f"it {what}, and one file needs far less: is there a loop in a loop?")


class _Counting(CodeGenerator):
    """Makes every loop, and everything that a template makes, report to the budget."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - Jinja2's names
        counted = nodes.EnvironmentAttribute("counted")
        items, node.iter = node.iter, nodes.Call(counted, [node.iter], [], None, None)
        try:
            super().visit_For(node, frame)
        finally:
            node.iter = items  # what is asked of the tree later is about the template as written

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self._write_sized(super().visit_Concat, node, frame)

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self._write_sized(super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        self._write_sized(super().visit_Dict, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx == "load":
            self._write_sized(super().visit_Tuple, node, frame)
        else:
            super().visit_Tuple(node, frame)

    def _write_sized(self, visit: Callable[..., None], node: nodes.Expr, frame: Frame) -> None:
        self.write("environment.sized(")
        visit(node, frame)
        self.write(")")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, which knows what of a directory user may be seen, and keeps a budget."""

    code_generator_class = _Counting
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=self.put_out, **options)
        self._left = STEPS
        self._turn = 1
        self._put_out = 0

    def refill(self, source_length: int) -> None:
        """Begin one rendering; a turn of a loop costs more where templates are longer."""
        self._left, self._put_out = STEPS, 0
        self._turn = 1 + source_length // 1024

    def spend(self, steps: int) -> None:
        """Take steps off the budget. Raises TooMuchError when there are none left."""
        self._left -= steps
        if self._left < 0:
            raise TooMuchError(f"takes more than {STEPS:,} steps")

    def longest(self, holes: int) -> int:
        """Return how many characters each value may have that was opaque in this rendering.

        0 where not as many were put out as there are holes. With real values, each step takes a
        further one for every so many characters.
        """
        if self._put_out != holes:
            return 0
        return min(_LONGEST, _CHARACTERS * (STEPS // max(1, STEPS - self._left)) - 1)

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the items of a loop, each at the price of a turn."""
        for item in items:
            self.spend(self._turn)
            yield item

    def sized(self, value: Any) -> Any:
        """Return a value that was made, at the price of all that is in it."""
        if isinstance(value, str):
            length = len(value)
            self.spend(1 + length // _CHARACTERS)
        elif isinstance(value, _CONTAINERS):
            length = len(value)
            self.spend(1)
        else:
            self.spend(isinstance(value, Opaque))
            return value
        if length > _LONGEST:
            raise TooMuchError(f"makes a value longer than {_LONGEST:,}")
        if isinstance(value, range):
            self.spend(length)
        elif not isinstance(value, str):
            for item in (*value, *value.values()) if isinstance(value, dict) else value:
                if not isinstance(item, (*_PLAIN, *_CONTAINERS)):
                    raise TooMuchError(f"keeps a {type(item).__name__} in a list")
                self.sized(item)
        return value

    def put_out(self, value: Any) -> Any:
        """Return a value that stands in the file. Only texts and numbers do."""
        if not isinstance(value, _PLAIN):
            raise TooMuchError(f"puts out a {type(value).__name__}, not a text")
        self.spend(1)
        self._put_out += isinstance(value, Opaque)
        return self.sized(value)

    def limit_filters(self, filters: dict[str, Callable[..., Any]]) -> None:
        """Make these the only filters, each of them reporting what it is given and makes."""
        self.filters = {name: self._report(function) for name, function in filters.items()}

    def _report(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def reporting(*args: Any, **kwargs: Any) -> Any:
            given = (*args, *kwargs.values())
            sizes = sorted(
                len(self.sized(value)) for value in given if isinstance(value, (str, *_CONTAINERS))
            )
            # `join` and `replace` make a text as long as one of them times another.
            if len(sizes) > 1 and sizes[-1] * sizes[-2] > _PRODUCT:
                raise TooMuchError(f"makes a value longer than {_LONGEST:,}")
            return self.sized(function(*args, **kwargs))

        return reporting

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Tell whether a template may look at this."""
        if isinstance(obj, str) and attr in _FORMATTING:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """Leave `format` to `is_safe_attribute`, which refuses it."""

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls, with numbers that are not too large."""
        if obj == self.counted:
            return self.counted(*args)
        given = (*args, *kwargs.values())
        if any(isinstance(value, int) and abs(value) > _LONGEST for value in given):
            raise TooMuchError(f"counts beyond {_LONGEST:,}")
        if isinstance(obj_self := getattr(obj, "__self__", None), str):
            sizes = [len(value) for value in given if isinstance(value, (str, *_CONTAINERS))]
            if len(obj_self) * max(sizes, default=1) > _PRODUCT:
                raise TooMuchError(f"makes a value longer than {_LONGEST:,}")
        self.spend(self._turn)
        return self.sized(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Reckon what a template reckons, with results that are not too large."""
        sizes = [len(side) for side in (left, right) if isinstance(side, str | list | tuple)]
        numbers = [abs(side) for side in (left, right) if isinstance(side, int)]
        if operator == "**" or any(number.bit_length() > _BITS for number in numbers):
            raise TooMuchError("makes numbers that are too large")
        if operator == "*" and sizes and sizes[0] * max(numbers, default=1) > _LONGEST:
            raise TooMuchError(f"makes a value longer than {_LONGEST:,}")
        if operator == "%" and isinstance(left, str):
            raise TooMuchError("formats a text with %, whose width has no bound")
        return self.sized(super().call_binop(context, operator, left, right))

    def get_template(self, *args: Any, **kwargs: Any) -> jinja2.Template:
        """Return a template that is included, at the price of a turn."""
        self.spend(self._turn)
        return super().get_template(*args, **kwargs)

    def select_template(self, *args: Any, **kwargs: Any) -> jinja2.Template:
        """Return the first template there is, at the price of a turn."""
        self.spend(self._turn)
        return super().select_template(*args, **kwargs)


def new_sandbox(loader: jinja2.BaseLoader) -> Sandbox:
    """Return a sandbox that escapes everything; a value that is missing is an error."""
    environment = Sandbox(
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        loader=loader,
    )
    environment.limit_filters({name: environment.filters[name] for name in _FILTERS})
    environment.globals = {name: environment.globals[name] for name in _GLOBALS}
    return environment
