"""A noun of a project's own, made of a JSON Schema: a part of one, and any other word is a finding.

The schema is read as YAML, which JSON is too, so that each finding has its place. What it says of
a field becomes the marks that fields of built-in nouns have; all else follows from these.
"""

from __future__ import annotations

import keyword
import re
import warnings
from dataclasses import dataclass, field
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError, SchemaError

from fsgitops.findings import Finding, error, quote_value
from fsgitops.model.fields import (
    PROTECT,
    Expect,
    Hidden,
    Key,
    Ref,
    SecretSource,
    Switch,
    read_count,
    read_list,
)
from fsgitops.model.noun import Noun, Part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from fsgitops.model.document import Document, Path, Value

RULE: Final = "own-kind"
PLAIN: Final = r"^[\p{L}\p{N} ._+@#*-]*$"
"""What a text holds whose schema says nothing: nothing that parts the words of an application."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_LONGEST_PATTERN: Final = 300
_LONGEST: Final = 1024
_MOST: Final = 64
_GREATEST: Final = 999_999_999

_TOLD = ("title", "description", "default", "examples")
_KNOWN: Final = {
    "": ("$schema", "$id", "title", "description", "type", "required", "properties",
         "additionalProperties"),
    "string": ("type", "pattern", "enum", "maxLength", "x-key", "x-ref", "x-secret", *_TOLD),
    "integer": ("type", "minimum", "maximum", *_TOLD),
    "boolean": ("type", *_TOLD),
    "array": ("type", "items", *_TOLD),
    "object": ("type", "required", "properties", "additionalProperties", *_TOLD),
}  # fmt: skip
"""The words of each type, and of the schema itself."""

_IDLE: Final = {
    "x-key": ("default",),
    "x-secret": ("default", "pattern", "maxLength"),
    "enum": ("pattern", "maxLength"),
}  # fmt: skip
"""What says nothing of a string beside another word."""

_ENABLED: Final = "false: not compiled. What was live is deleted."


_TAKEN: Final = frozenset((
    *dir(BaseModel), *dir(Noun), *keyword.kwlist, "and", "cycler", "dict", "domain", "enabled",
    "false", "joiner", "loop", "namespace", "none", "not", "or", "protect", "range", "reach",
    "self", "true", "varargs", "kwargs", "caller", "kind", "called", "slips", "short",
))  # fmt: skip
"""Names that mean something else, in a noun or in a template."""


class OwnField(NamedTuple):
    """What a template is given of a field: a choice, a secret, or else a value."""

    name: str
    choice: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class OwnNoun:
    """The class that a schema describes, and its fields as a template sees them."""

    noun: type[Noun]
    key: str
    fields: tuple[OwnField, ...]


@dataclass(slots=True)
class _Reader:
    """Reads one schema, and gathers what is wrong with it."""

    document: Document
    kinds: Collection[str]
    findings: list[Finding] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    fields: list[OwnField] = field(default_factory=list)

    def refuse(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        place = self.document.position(path, key=key)
        self.findings.append(error(RULE, place, message, hint))

    def read_fields(self, schema: Mapping[str, Value], path: Path, base: type[Any]) -> Any:
        """Return the model of a mapping's fields, or None where something is wrong."""
        before = len(self.findings)
        properties, required = schema.get("properties"), self._required(schema, path)
        self._check_closed(schema, path)
        if not isinstance(properties, dict) or not properties:
            place = (*path, "properties") if "properties" in schema else path
            self.refuse(place, "expected the fields, as a mapping `properties`")
            return None
        fields: dict[str, Any] = {}
        for name, said in properties.items():
            where = (*path, "properties", name)
            if not _NAME.fullmatch(name) or name in _TAKEN or name.startswith("model_"):
                told = "is taken" if _NAME.fullmatch(name) else "is no name of a field"
                hint = "Choose another: a small letter, then small letters, digits and `_`."
                self.refuse(where, f"{quote_value(name)} {told}", hint, key=True)
            elif not isinstance(said, dict):
                self.refuse(where, f"expected the schema of `{name}`, as a mapping")
            else:
                found = self._read_field(name, said, where, required, top=base is Noun)
                if found is not None:
                    fields[name] = found
        for name in required:
            if name not in properties:
                self.refuse((*path, "required"), f"`{name}` is required, and no property")
        if len(self.findings) > before:
            return None
        return fields

    def _read_field(
        self, name: str, said: Mapping[str, Value], path: Path, required: Collection[str], *,
        top: bool,
    ) -> Any:  # fmt: skip
        kind = said.get("type")
        if said.get("x-key") == "true" and top:
            self.keys.append(name)
        annotation = self._read_type(said, path, inside=() if top else ("object",))
        if annotation is None:
            return None
        choice = kind == "boolean" or "enum" in said
        secret = said.get("x-secret") == "true"
        if top:
            self.fields.append(OwnField(name, choice, secret))
        examples = said.get("examples")
        told = Field(
            description=str(said.get("description") or ""),
            examples=examples if isinstance(examples, list) else None,
        )
        if secret:
            return (_marked(annotation, Hidden(name.replace("_", " ")), told), None)
        described = _marked(annotation, told)
        if "default" in said:
            return (described, self._default(annotation, said["default"], path))
        if name in required or name in self.keys:
            return (described, ...)
        absent: Any = {"boolean": False, "array": ()}.get(str(kind))
        return (described, absent) if absent is not None else (described | None, None)

    def _default(self, annotation: Any, said: Value, path: Path) -> Any:
        try:
            return TypeAdapter(annotation).validate_python(said)
        except ValidationError:
            self.refuse((*path, "default"), f"{quote_value(str(said))} is no value of this field")
            return None

    def _read_type(self, said: Mapping[str, Value], path: Path, inside: Collection[str]) -> Any:
        kind = said.get("type")
        known = [word for word in _KNOWN if word and word not in inside]
        if not isinstance(kind, str) or kind not in known:
            place = (*path, "type") if "type" in said else path
            told = f"found {quote_value(str(kind))}, " if "type" in said else ""
            self.refuse(place, f"`type`: {told}expected one of {', '.join(known)}")
            return None
        if not self._check_words(said, path, kind):
            return None
        if kind == "boolean":
            return Switch
        if kind == "integer":
            return self._integer(said, path)
        if kind == "string":
            return self._string(said, path, top=not inside)
        if kind == "object":
            return self._object(said, path)
        return self._array(said, path, inside)

    def _check_words(self, said: Mapping[str, Value], path: Path, kind: str) -> bool:
        for word in ("title", "description"):
            if not isinstance(said.get(word, ""), str):
                self.refuse((*path, word), f"`{word}`: expected a text")
        unknown = [word for word in said if word not in _KNOWN[kind]]
        for word in unknown:
            hint = f"Known here: {', '.join(_KNOWN[kind])}."
            what = f"a schema of type {kind}" if kind else "the schema of a kind"
            self.refuse((*path, word), f"{quote_value(word)} is not read in {what}", hint, key=True)
        return not unknown

    def _check_closed(self, said: Mapping[str, Value], path: Path) -> None:
        if said.get("additionalProperties", "false") != "false":
            self.refuse((*path, "additionalProperties"), "only the fields that are named exist",
                        "Write false, or leave it out.")  # fmt: skip

    def _required(self, said: Mapping[str, Value], path: Path) -> list[str]:
        names = said.get("required", [])
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return cast("list[str]", names)
        self.refuse((*path, "required"), "expected a list of names")
        return []

    def _whole(
        self, said: Mapping[str, Value], word: str, path: Path, default: int, most: int
    ) -> int:
        text = said.get(word, str(default))
        if not isinstance(text, str) or not _NUMBER.fullmatch(text) or int(text) > most:
            self.refuse((*path, word), f"`{word}`: expected a whole number from 0 to {most}")
            return default
        return int(text)

    def _integer(self, said: Mapping[str, Value], path: Path) -> Any:
        least = self._whole(said, "minimum", path, 0, _GREATEST)
        most = self._whole(said, "maximum", path, _GREATEST, _GREATEST)
        if least > most:
            self.refuse((*path, "maximum"), "`maximum` is less than `minimum`")
            return None
        return Annotated[
            int,
            BeforeValidator(read_count),
            Field(strict=True, ge=least, le=most),
            Expect(f"a whole number from {least} to {most}"),
        ]

    def _string(self, said: Mapping[str, Value], path: Path, *, top: bool) -> Any:
        before = len(self.findings)
        for word in ("x-key", "x-secret"):
            if word in said and (said[word] != "true" or not top):
                self.refuse((*path, word), f"`{word}` is true, and of a field of its own")
        if len([word for word in ("x-key", "x-secret", "x-ref", "enum") if word in said]) > 1:
            self.refuse(path, "a key, a secret, a reference and an `enum` are four things")
        for mark, idle in _IDLE.items():
            for word in (word for word in idle if mark in said and word in said):
                self.refuse((*path, word), f"`{word}` means nothing beside `{mark}`", key=True)
        if "x-secret" in said:
            return SecretSource if len(self.findings) == before else None
        marks: list[Any] = []
        if "x-ref" in said:
            marks.append(self._reference(said["x-ref"], path))
        if "x-key" in said:
            marks += [Key(), AfterValidator(_check_key)]
        if "enum" in said:
            words = self._words(said["enum"], path)
            shown = WithJsonSchema({"type": "string", "enum": [*words]})
            marks += [AfterValidator(_one_of(words)), shown, Expect(f"one of {', '.join(words)}")]
        else:
            marks += self._text(said, path)
        return _marked(str, *marks) if len(self.findings) == before else None

    def _text(self, said: Mapping[str, Value], path: Path) -> Iterator[Any]:
        longest = self._whole(said, "maxLength", path, 200, _LONGEST)
        pattern = said.get("pattern", PLAIN)
        if not isinstance(pattern, str) or len(pattern) > _LONGEST_PATTERN:
            message = f"expected a pattern of at most {_LONGEST_PATTERN} characters"
            self.refuse((*path, "pattern"), message)
            return
        limits = StringConstraints(pattern=pattern, max_length=longest)
        try:
            # The engine of pydantic takes linear time for any pattern, and refuses what cannot be.
            TypeAdapter(Annotated[str, limits])
        except SchemaError:
            hint = "Look-around and back-references do not exist: a pattern takes linear time."
            self.refuse((*path, "pattern"), "`pattern` is no regular expression of Rust's", hint)
            return
        yield limits
        if not _is_portable(pattern):
            yield WithJsonSchema({"type": "string"})
        if "x-key" in said and "pattern" not in said:
            yield Expect("1 to 40 of A-Z, a-z, 0-9, _ and -, the first a letter or digit")
        elif "pattern" in said:
            title = said.get("title")
            yield Expect(str(title) if title else f"a text that matches {pattern}")
        else:
            what = "letters, digits, blanks and . _ + @ # * -"
            hint = "The schema of its kind says what else may stand there, with a `pattern`."
            yield Expect(f"a text of at most {longest} characters: {what}", hint)

    def _reference(self, named: Value, path: Path) -> Ref:
        kinds = [named] if isinstance(named, str) else named
        if not isinstance(kinds, list) or len(kinds) != 1:
            self.refuse((*path, "x-ref"), "`x-ref`: expected one kind, such as [agent]")
            return Ref(())
        for kind in kinds:
            if kind not in self.kinds:
                hint = f"Kinds: {', '.join(self.kinds)}."
                self.refuse((*path, "x-ref"), f"there is no kind {quote_value(str(kind))}", hint)
        return Ref(tuple(map(str, kinds)))

    def _words(self, said: Value, path: Path) -> tuple[str, ...]:
        if isinstance(said, list) and 0 < len(said) <= _MOST:
            words = tuple(word for word in said if isinstance(word, str))
            if len(set(words)) == len(said):
                return words
        message = f"`enum`: expected a list of 1 to {_MOST} words, all different"
        self.refuse((*path, "enum"), message)
        return ("",)

    def _object(self, said: Mapping[str, Value], path: Path) -> Any:
        fields = self.read_fields(said, path, Part)
        return None if fields is None else create_model("OwnPart", __base__=Part, **fields)

    def _array(self, said: Mapping[str, Value], path: Path, inside: Collection[str]) -> Any:
        items = said.get("items")
        if not isinstance(items, dict):
            self.refuse((*path, "items") if "items" in said else path, "expected a schema `items`")
            return None
        item = self._read_type(items, (*path, "items"), ("array", *inside))
        if item is None:
            return None
        told = Expect(f"a list of at most {_MOST}", "Write [one, two].")
        listed = GenericAlias(tuple, (item, ...))
        if items.get("type") == "object":
            return _marked(listed, Field(max_length=_MOST), told)
        return _marked(listed, BeforeValidator(read_list), Field(max_length=_MOST), told)


def read_noun(
    word: str, document: Document, kinds: Collection[str]
) -> tuple[OwnNoun | None, list[Finding]]:
    """Return the noun of the kind `word` that a schema describes, or what is wrong with it.

    `kinds` are the words of all kinds, which a reference may name.
    """
    reader = _Reader(document, kinds)
    schema = document.data
    if reader._check_words(schema, (), "") and schema.get("type") != "object":
        reader.refuse(("type",), "the schema of a kind has `type: object`")
    fields = reader.read_fields(schema, (), Noun)
    if fields is not None and len(reader.keys) != 1:
        found = ", ".join(reader.keys) or "none"
        message = f"one field of type string names a resource, with `x-key: true`; found {found}"
        reader.refuse(("properties",), message, key=True)
    if fields is None or reader.findings:
        return None, reader.findings
    fields["enabled"] = (_marked(Switch, Field(description=_ENABLED, examples=[False])), True)
    fields["protect"] = (_marked(Switch, Field(description=PROTECT, examples=[True])), False)
    title = str(schema.get("title") or word.replace("_", " "))
    noun = create_model("OwnNoun", __base__=Noun, **fields)
    noun.__doc__ = str(schema.get("description") or f"{title[:1].upper()}{title[1:]}.")
    noun.kind, noun.called = word, title
    return OwnNoun(noun, reader.keys[0], tuple(reader.fields)), []


def _marked(annotation: Any, *marks: Any) -> Any:
    return Annotated[(annotation, *marks)]


def _is_portable(pattern: str) -> bool:
    """Tell whether other engines know the pattern, too: editors have theirs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, Warning):
        return False
    return True


def _check_key(value: str) -> str:
    if not KEY.fullmatch(value):
        raise PydanticCustomError("own_key", "no name of a resource")
    return value


def _one_of(words: Collection[str]) -> Any:
    def check(value: str) -> str:
        if value not in words:
            raise PydanticCustomError("own_word", "none of the words")
        return value

    return check
