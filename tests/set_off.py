"""What a call may set off besides: extensions, and what each of them makes the switch dial."""

from __future__ import annotations

from typing import Final, NamedTuple
from xml.sax.saxutils import quoteattr


class SetOff(NamedTuple):
    """Actions of an extension, and what the caller presses.

    `{dial}` stands for a dial string, `{out}` for an extension and context that dials it.
    """

    actions: tuple[str, ...]
    presses: str = ""


_LISTENS: Final = "playback silence_stream://6000"
SET_OFF: Final = {
    "a function": SetOff(("set x=${{originate({dial} &park)}}", "answer")),
    "a function in the background": SetOff(("set x=${{bgapi(originate {dial} &park)}}", "answer")),
    "an expanded command": SetOff(("set x=${{expand(originate {dial} &park)}}", "answer")),
    "a scheduled command": SetOff(
        ("set x=${{sched_api(+1 none originate {dial} &park)}}", "answer", "sleep 3000")
    ),
    "a leg that is transferred": SetOff(
        ("set x=${{originate(loopback/waits/dialler {out})}}", "answer")
    ),
    "a leg that executes": SetOff(
        ("set x=${{originate(loopback/waits/dialler &bridge({dial}))}}", "answer")
    ),
    "api_on_answer": SetOff(("set api_on_answer=originate {dial} &park", "answer", "sleep 500")),
    "api_on_ring": SetOff(("set api_on_ring=originate {dial} &park", "ring_ready", "sleep 500")),
    "api_hangup_hook": SetOff(("set api_hangup_hook=originate {dial} &park", "hangup")),
    "api_hangup_hook with colons": SetOff(
        ("set api_hangup_hook=bgapi::originate {dial} &park", "hangup")
    ),
    "api_reporting_hook": SetOff(("set api_reporting_hook=originate {dial} &park", "hangup")),
    "execute_on_answer": SetOff(("set execute_on_answer=bridge {dial}", "answer")),
    "execute_on_answer beside": SetOff(
        ("set execute_on_answer=bridge::{dial}", "answer", "sleep 2000")
    ),
    "sched_transfer": SetOff(("answer", "sched_transfer +1 {out}", "sleep 3000")),
    "sched_broadcast": SetOff(("answer", "sched_broadcast +1 bridge::{dial}", "sleep 4000")),
    "a key of bind_meta_app": SetOff(
        ("answer", "bind_meta_app 1 a s bridge::{dial}", _LISTENS), "*1"
    ),
    "a key of bind_digit_action": SetOff(
        ("answer", "bind_digit_action all,77,exec:bridge,{dial}", _LISTENS), "77"
    ),
    "a command of bind_digit_action": SetOff(
        ("answer", "bind_digit_action all,78,api:originate,{dial} &park", _LISTENS), "78"
    ),
    "whom a conference calls": SetOff(
        ("conference_set_auto_outcall {dial}", "conference set_off@default")
    ),
    "whom a conference bridges": SetOff(("conference bridge:bridged@default:{dial}",)),
    "a limit": SetOff(("limit hash set_off ${{uuid}} 0 {out}",)),
    "nothing that is asked for": SetOff(
        ("play_and_get_digits 2 2 1 300 # silence_stream://1 silence_stream://1 x 9 300 '{out}'",)
    ),
    "a leg that is answered": SetOff(
        ("bridge [execute_on_answer='bridge {dial}']loopback/waits/dialler",)
    ),
    "a leg that variables go to": SetOff(
        ("export nolocal:execute_on_answer=bridge {dial}", "bridge loopback/waits/dialler")
    ),
    "exec_after_bridge_app": SetOff(
        (
            "set exec_after_bridge_app=bridge", "set exec_after_bridge_arg={dial}",
            "bridge loopback/ends/dialler",
        )
    ),
    "transfer_after_bridge": SetOff(
        ("set transfer_after_bridge={number}:XML:dialler", "bridge loopback/ends/dialler")
    ),
    "what follows a bridge": SetOff(("bridge loopback/ends/dialler", "bridge {dial}")),
    "a recording that ends": SetOff(
        (
            "answer", "set record_post_process_exec_api=originate:{dial} &park",
            "record_session /tmp/fsgitops-set-off.wav", "sleep 500", "hangup",
        )
    ),
}  # fmt: skip


def make_extensions(dial: str) -> str:
    """Return an extension for each, which its place in SET_OFF calls: 7700, 7701, ..."""
    made = []
    for number, item in enumerate(SET_OFF.values(), 7700):
        words = {"dial": dial.format(number), "out": f"{number} XML dialler", "number": number}
        actions = "".join(
            f"<action application={quoteattr(name)} data={quoteattr(data)}/>\n"
            for text in item.actions
            for name, _, data in (text.format(**words).partition(" "),)
        )
        made.append(
            f'<extension name="e{number}"><condition field="destination_number" '
            f'expression="^{number}$">\n{actions}</condition></extension>\n'
        )
    return "".join(made)


def make_dialler(dial: str) -> str:
    """Return the context that the others use: it dials the number that it is called with."""
    return f"""<context name="dialler">
<extension name="out"><condition field="destination_number" expression="^(77\\d\\d)$">
<action application="bridge" data="{dial.format("$1")}"/></condition></extension>
<extension name="waits"><condition field="destination_number" expression="^waits$">
<action application="answer"/><action application="park"/></condition></extension>
<extension name="ends"><condition field="destination_number" expression="^ends$">
<action application="answer"/><action application="sleep" data="500"/>
<action application="hangup"/></condition></extension>
</context>
"""
