"""Dialplans made at random, with every oddity that mod_dialplan_xml has, and calls through them."""

from __future__ import annotations

import random
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

NUMBERS = ("1000", "1020", "+19495431333", "911", "5", "*98", "12", "19495431333", "7001", "00")
FIELDS = (
    "destination_number", "destination_number", "destination_number", "caller_id_number",
    "context", "${destination_number}", "${caller_id_number:1}", "${one}", "${two}",
    "${destination_number:1:2}", "${destination_number:-2}", "ani", "rdnis", "nothing",
    "${cond(${destination_number} == 1000 ? yes : no)}", "${cond('a' == 'a' ? true : false)}",
    "${cond(${one} > 2 ? more:less)}", "${regex(${destination_number}|^1(.)|%1)}",
    "${regex(${destination_number}|^10)}", "${regex(m:~${destination_number}~(9|4)(.*)$~%2)}",
    "${user_exists(id ${destination_number} ${domain})}",
    "${user_exists id ${destination_number} ${domain}}",
    "${user_data(${destination_number}@${domain} var user_context)}",
    "${user_data(1000@${domain} param vm-password)}", "${hash(select/made/${caller_id_number})}",
    "${global_getvar(domain)}", "${toupper(${one})}", "${unset}", "$${domain}", "${domain}",
    "${DP_MATCH}", "${DP_MATCH[1]}", "${DP_REGEX_MATCH_1[1]}", "${one}${two}", "${export_vars}",
    "${replace(${destination_number}|1|x)}", "${module_exists(mod_hash)}", "plain ${one} text",
    "${list[0]}", "${list}", "dialplan", "${${name}}", "${in_group(1000,default)}",
)  # fmt: skip
EXPRESSIONS = (
    "^1", "^(10)(..)$", "^(.*)$", "", "^$", "^(1)?(9)?.*$", r"^\+?(\d+)$", "(", "_NXX", "_X.",
    "/^ABC/i", "true", "^(true|yes)$", "^x+$", "[0-9]", r"^(\d)(\d)(\d)", "default", "^(a)|(b)|(1)",
    "0$", r"^\*(\d+)$", "no", "false", "^.{4}$", "^[^0-9]", r"(?<name>1)", "${destination_number}",
    "^${one}$", "2", "more", "^(?!1)", r"^(\d{2})\1?", "made",
)  # fmt: skip
PLAIN = tuple(item for item in EXPRESSIONS if "(" not in item)
DATA = (
    "$1", "$0-$1-$2", "${one}", "a${two}b", "$1${one}", "${destination_number}", "$$1", "${1}",
    "$10", "x", "${DP_MATCH[1]}", "${one:1}", "${one:-1:1}", "\\${one}", "\\\\${one}", "it\\'s $1",
    "${cond(${one} == ${two} ? same : other)}", "${DP_MATCH}", "${regex($1|^(.)|[%1])}", "$3$2",
    "${rdnis}", "${context}", "$", "$x", "${name}", "${${name}}", "'$1 $2'",
    "$$${one}", "${hash(select/made/${caller_id_number})}", "${list[1]}", "ä$1", "${one:0:2}",
    "a\\nb${one}",
)  # fmt: skip
TIMES = (
    'hour="0-23"', 'hour="0"', 'wday="1-7"', 'wday="sun-sat"', 'wday="8"', 'year="2000-2020"',
    'mon="1-12"', 'minute-of-day="1-1440"', 'time-of-day="00:00-24:00"', 'time-of-day="9-18"',
    'date-time="2020-01-01 00:00:00~2090-01-01 00:00:00"', 'hour="abc"', 'mday="32"', 'dst="false"',
    'date-time="2020-01-01 00:00:00~2021-01-01 00:00:00"', 'week="1-60"', 'mweek="1-6"',
    'yday="1-366"', 'wday="mon,tue,wed,thu,fri,sat,sun"', 'hour=""', 'minute="60"', 'hour="12-11"',
)  # fmt: skip
BREAKS = ("on-true", "on-false", "always", "never", "odd")


class MadeCall(NamedTuple):
    """A call through a made context."""

    context: str
    number: str
    caller: str


class Maker:
    """Makes contexts; the same seed makes the same."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.executes = True

    def context(self, name: str) -> str:
        """Return a context as XML."""
        self.executes = True
        count = self.random.randint(2, 6)
        body = "\n".join(self._extension(f"e{at}") for at in range(count))
        return f'<context name="{name}">\n{body}\n</context>\n'

    def _pick(self, words: tuple[str, ...]) -> str:
        return self.random.choice(words)

    def _rarely(self, chance: float) -> bool:
        return self.random.random() < chance

    def _extension(self, name: str) -> str:
        goes_on = f' continue="{self._pick(("true", "false", "yes"))}"' if self._rarely(0.6) else ""
        count = self.random.choice((1, 1, 1, 2, 2, 3))
        body = "\n".join(self._condition(0) for _ in range(count))
        return f'<extension name="{name}"{goes_on}>\n{body}\n</extension>'

    def _condition(self, depth: int) -> str:
        attributes = ""
        inner: list[str] = []
        kind = self.random.random()
        if kind < 0.15:
            rule = self._pick(("all", "any", "xor"))
            attributes = f' regex="{rule}"'
            inner += [self._regex(rule) for _ in range(self.random.randint(1, 3))]
        elif kind < 0.25:
            attributes = f" {self._pick(TIMES)}"
        elif kind < 0.9:
            attributes = self._asks()
        if self._rarely(0.25):
            attributes += f' break="{self._pick(BREAKS)}"'
        if self._rarely(0.2):
            attributes += f' require-nested="{self._pick(("true", "false"))}"'
        inner += [self._action("action") for _ in range(self.random.randint(0, 3))]
        if self._rarely(0.3):
            inner.append(self._action("anti-action"))
        if depth < 3 and self._rarely(0.25):
            inner += [self._condition(depth + 1) for _ in range(self.random.randint(1, 2))]
        return f"<condition{attributes}>\n" + "\n".join(inner) + "\n</condition>"

    def _asks(self, rule: str = "") -> str:
        field, expression = self._pick(FIELDS), self._pick(EXPRESSIONS)
        # FreeSWITCH crashes where groups are put of an element of xor that does not match, and
        # reads those of a field that it had to expand from memory that it has freed.
        if rule == "xor" or (rule and "$" in field):
            expression = self._pick(PLAIN)
        return f" field={quoteattr(field)} expression={quoteattr(expression)}"

    def _regex(self, rule: str) -> str:
        asks = f" {self._pick(TIMES)}" if self._rarely(0.15) else self._asks(rule)
        return f"<regex{asks}/>"

    def _action(self, kind: str) -> str:
        application, data = self._applied()
        inline = f' inline="{self._pick(("true", "false"))}"' if self._rarely(0.35) else ""
        once = application == "execute_extension" or not self._rarely(0.08)
        loop = "" if once else f' loop="{self._pick(("0", "1", "2"))}"'
        return (
            f"<{kind} application={quoteattr(application)} data={quoteattr(data)}{inline}{loop}/>"
        )

    def _applied(self) -> tuple[str, str]:
        data = self._pick(DATA)
        chance = self.random.random()
        if chance < 0.3:
            return "eval", f"{data} {self._pick(DATA)}"
        if chance < 0.62:
            variable = self._pick(("one", "two", "name", "three"))
            value = self._pick(("one", "two")) if variable == "name" else data
            return "set", f"{variable}={value}"
        if chance < 0.82:
            return self._seldom(data)
        return self._moves()

    def _seldom(self, data: str) -> tuple[str, str]:
        return self.random.choice((
            ("export", f"{self._pick(('', 'nolocal:'))}two={data}"), ("unset", "one"),
            ("push", f"list={data}"), ("unshift", f"list={data}"), ("log", f"INFO {data}"),
            ("multiset", f"one=1 two={data}"), ("multiset", f"^^;one=5;two={data}"),
            ("multiunset", "one two"), ("set_profile_var", f"rdnis={data}"),
            ("hash", f"insert/made/${{caller_id_number}}/{data}"),
            ("set", "one,comma"), ("set", "one="), ("limit", "hash made ${context} -1"),
            ("set_user", "1001@${domain}"), ("set", "list=ARRAY::a|:b|:c"),
            ("bridge_export", f"two={data}"), ("set", "list[2]=third"), ("verbose_events", ""),
        ))  # fmt: skip

    def _moves(self) -> tuple[str, str]:
        number = self._pick((*NUMBERS, "$1", "${one}x"))
        if self._rarely(0.15) and self.executes:
            # One in a context: with two, each that executes the other goes on for hours.
            self.executes = False
            return "execute_extension", self._pick((number, f"{number} XML"))
        return self.random.choice((
            ("transfer", number), ("transfer", f"{number} XML"),
            ("transfer", f"'{number}' XML ${{context}}"),
            ("transfer", r"'set:two=x,eval:\${two} \${destination_number}' inline"),
            ("transfer", f"m:^:eval:{number}^log:INFO inline"),
            ("hangup", self._pick(("", "USER_BUSY", "$1"))),
            ("bridge", "user/1000@${domain}"), ("bridge", "error/NO_ANSWER"),
            ("bridge", "user/nobody@${domain}"), ("set", "continue_on_fail=true"),
            ("set", "continue_on_fail=USER_NOT_REGISTERED,20"), ("bridge", "error/USER_BUSY"),
        ))  # fmt: skip


def make_dialplan(seed: int, contexts: int, calls: int) -> tuple[str, list[MadeCall]]:
    """Return contexts as XML, and calls through each."""
    maker = Maker(seed)
    parts, made = [], []
    for at in range(contexts):
        name = f"made{seed}_{at}"
        parts.append(maker.context(name))
        for _ in range(calls):
            # Each caller calls once, so that nothing which mod_hash keeps is another call's.
            prefix = maker.random.choice(("1202", "+49", "9"))
            made.append(
                MadeCall(
                    name,
                    maker.random.choice(NUMBERS),
                    f"{prefix}{5_000_000 + 1000 * seed + len(made)}",
                )
            )
    return "".join(parts), made
