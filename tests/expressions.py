"""Every regular expression of the product and how it is used, read off the source."""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent / "fsgitops"
MODULE_WORDS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
_USED = re.compile(rb"\bre\s*\.")


@dataclass(frozen=True)
class Use:
    """One expression in one place. `pattern` is None where it is put together at run time."""

    place: str
    method: str
    pattern: str | bytes | None
    flags: int = 0


def product_modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if "example" not in path.parts)


def modules_with_expressions() -> list[Path]:
    return [path for path in product_modules() if _USED.search(path.read_bytes())]


@cache
def find_expressions(path: Path) -> list[Use]:
    uses = set(_in_module(path, ast.parse(path.read_bytes())))
    return sorted(uses, key=lambda use: (use.place, use.method, repr(use.pattern)))


def _in_module(path: Path, tree: ast.Module) -> list[Use]:
    name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    # A private name is used in its own module alone, and the product has no others.
    called, owners = _methods_of(tree), _owners_of(tree)
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _is_re(node.func)):
            continue
        word = node.func.attr
        pattern, flags = _evaluate(name, node, word)
        patterns = [pattern]
        methods = called.get(_target(tree, node), {"search"}) if word == "compile" else {word}
        if pattern is None and (handed := _handed_on(name, tree, node)):
            patterns, methods = handed, called.get(".attribute", {"search"})
        owner = owners.get(node) or _target(tree, node) or "<module>"
        place = f"{name.removesuffix('.__init__')}:{owner}"
        found += [Use(place, method, text, flags) for method in methods for text in patterns]
    return found


def _handed_on(name: str, tree: ast.Module, call: ast.Call) -> list:
    """Return the expressions that a function of the module is given to compile."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    around = [item for item in functions if any(node is call for node in ast.walk(item))]
    if not around or not isinstance(call.args[0], ast.Name):
        return []
    parameters = [argument.arg for argument in around[0].args.args]
    if call.args[0].id not in parameters:
        return []
    at = parameters.index(call.args[0].id)
    names = vars(importlib.import_module(name))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == around[0].name
    ]
    try:
        return [_value(node.args[at], names) for node in calls]
    except NameError:
        return []


def _is_re(func: ast.expr) -> bool:
    return (
        isinstance(func, ast.Attribute)
        and isinstance(func.value, ast.Name)
        and func.value.id == "re"
        and func.attr in ("compile", *MODULE_WORDS)
    )


def _methods_of(tree: ast.Module) -> dict[str, set[str]]:
    """Return which methods are called on each name, or on what stands under a key of it."""
    called: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in MODULE_WORDS:
            value = node.value.value if isinstance(node.value, ast.Subscript) else node.value
            if isinstance(value, ast.Name):
                called.setdefault(value.id, set()).add(node.attr)
            elif isinstance(value, ast.Attribute):
                called.setdefault(".attribute", set()).add(node.attr)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            for value in ast.walk(node.value) if isinstance(node.value, ast.IfExp) else []:
                if isinstance(value, ast.Name) and value.id.isupper():
                    called.setdefault(value.id, set()).update(called.get(node.targets[0].id, ()))
    # A name that is also handed on may be used in any way there.
    for node in ast.walk(tree):
        values = (
            [*node.args, *(k.value for k in node.keywords)] if isinstance(node, ast.Call) else []
        )
        for value in values:
            if isinstance(value, ast.Name) and value.id.isupper():
                called.setdefault(value.id, set()).add("search")
    return called


def _target(tree: ast.Module, call: ast.Call) -> str | None:
    """Return the module's name that the expression is bound to, on its own or in a dict."""
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and any(
            item is call for item in ast.walk(node)
        ):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            return target.id if isinstance(target, ast.Name) else None
    return None


def _owners_of(tree: ast.Module) -> dict[ast.AST, str]:
    """Return the outermost function that each call stands in."""
    owners: dict[ast.AST, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node not in owners:
            owners |= dict.fromkeys(ast.walk(node), node.name)
    return owners


class _Literally(ast.NodeTransformer):
    """`re.escape(…)` is a text without any repetition, whatever it escapes."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if ast.unparse(node.func) == "re.escape":
            of_bytes = ".encode(" in ast.unparse(node)
            return ast.copy_location(ast.Constant(b"x" if of_bytes else "x"), node)
        return node


def _evaluate(module: str, call: ast.Call, word: str) -> tuple[str | bytes | None, int]:
    position = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(word, 2)
    given = [k.value for k in call.keywords if k.arg == "flags"] + call.args[
        position : position + 1
    ]
    names = vars(importlib.import_module(module)) | {"re": re}
    try:
        pattern = _value(_Literally().visit(call.args[0]), names)
        flags = _value(given[0], names) if given else 0
    except NameError:
        return None, int(_value(given[0], names)) if given else 0
    return pattern, int(flags)


def _value(node: ast.expr, names: dict) -> object:
    return eval(compile(ast.Expression(node), "<expression>", "eval"), dict(names))
