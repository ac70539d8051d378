"""Contexts in which variables send calls on, or make FreeSWITCH execute something, and calls."""

from __future__ import annotations

from made_dialplans import MadeCall

_EXTENSION = """<extension name="{0}"><condition field="destination_number" expression="^{0}$">
{1}</condition></extension>
"""
_FALLBACK = "".join(
    f'<extension name="{name}"><condition field="destination_number" expression="^{name}$">'
    f'<action application="eval" data="{name} ${{rdnis}} ${{originate_failed_cause}}"/>'
    "</condition></extension>\n"
    for name in ("fallback", "USER_BUSY", "NO_ANSWER", "100")
)
_MOVER = """<extension name="mover"><condition field="destination_number" expression="^mover$">
<action application="set" data="partner=${signal_bond}"/>
<action application="set" data="mover=${uuid_getvar(${signal_bond} fsgitops_extension)}"/>
<action application="eval" data="[${partner}] [${mover}] ${destination_number}"/>
</condition></extension>
"""

BUSY = (("bridge", "error/USER_BUSY"), ("eval", "went on"))
SILENT = (("bridge", "error/NO_ANSWER"), ("eval", "went on"))
CASES: dict[str, tuple[tuple[str, str], ...]] = {
    "tof_true": (("set", "transfer_on_fail=true"), *BUSY),
    "tof_list": (("set", "transfer_on_fail=17,NO_ANSWER fallback XML hooked"), *BUSY),
    "tof_other": (("set", "transfer_on_fail=NO_ANSWER fallback XML hooked"), *BUSY),
    "tof_alone": (("set", "transfer_on_fail=USER_BUSY"), *BUSY),
    "tof_auto": (("set", "transfer_on_fail=user_busy auto_cause XML hooked"), *BUSY),
    "tof_always": (("set", "transfer_on_fail=NO_ANSWER fallback XML hooked"), *SILENT),
    "tof_silent": (
        ("set", "continue_on_fail=USER_BUSY"),
        ("set", "transfer_on_fail=NO_ANSWER fallback"),
        *SILENT,
    ),
    "tof_goes_on": (
        ("set", "continue_on_fail=true"), ("set", "transfer_on_fail=USER_BUSY fallback"), *BUSY,
    ),
    "tof_causes": (
        ("set", "failure_causes=NO_ANSWER"), ("set", "transfer_on_fail=17 fallback"), *BUSY,
    ),
    "tof_both": (
        ("set", "failure_causes=USER_BUSY"), ("set", "transfer_on_fail=17 fallback"), *BUSY,
    ),
    "camp": (
        ("set", "campon=true"), ("set", "campon_retries=1"), ("set", "campon_timeout=1"),
        ("set", "campon_hold_music=silence"), ("set", "campon_fallback_exten=fallback"), *BUSY,
    ),
    "camp_alone": (
        ("set", "campon=true"), ("set", "campon_retries=1"), ("set", "campon_timeout=1"),
        ("set", "campon_hold_music=silence"), *BUSY,
    ),
    "camp_on": (
        ("set", "campon=true"), ("set", "campon_retries=1"), ("set", "continue_on_fail=true"),
        ("set", "execute_on_answer=eval answered by campon"),
        ("set", "campon_hold_music=silence"), *BUSY, ("eval", "${originate_disposition}"),
    ),
    "originates": (
        ("set", "execute_on_pre_originate_a=eval before ${two}"), ("set", "two=x"),
        ("set", "execute_on_post_originate_b=set three=y"), ("set", "continue_on_fail=true"),
        ("bridge", "error/USER_BUSY"), ("eval", "after [${three}]"),
    ),
    "answers": (
        ("set", "execute_on_answer_1=eval one ${a}"), ("set", "a=b"),
        ("set", "execute_on_answer_2=eval:two:${a}"), ("set", "execute_on_media=eval media"),
        ("answer", ""), ("answer", ""), ("eval", "end"),
    ),
    "media": (
        ("set", "execute_on_media=eval media"), ("set", "execute_on_pre_answer=eval early"),
        ("playback", "silence_stream://50"), ("answer", ""), ("eval", "end"),
    ),
    "pre": (
        ("set", "execute_on_media_timeout=eval odd"), ("set", "execute_on_ring=eval rings"),
        ("ring_ready", ""), ("pre_answer", ""), ("ring_ready", ""), ("eval", "end"),
    ),
    "moves": (
        ("set", "execute_on_blind_transfer=eval moved from ${destination_number}"),
        ("transfer", "fallback"),
    ),
    "moved_inside": (
        ("export", "execute_on_blind_transfer_x=execute_extension mover XML hooked"),
        ("transfer", "fallback XML hooked"),
    ),
    "moves_again": (
        ("set", "execute_on_blind_transfer=transfer 100"), ("set", "max_forwards=4"),
        ("transfer", "fallback"),
    ),
    "forced": (
        ("set", "execute_on_blind_transfer=set force_transfer_context=elsewhere"),
        ("transfer", "fallback"),
    ),
    "pushed": (
        ("push", "execute_on_answer=eval first"), ("push", "execute_on_answer=eval second"),
        ("answer", ""), ("eval", "end"),
    ),
    "taken_away": (
        ("set", "execute_on_answer_1=unset execute_on_answer_2"),
        ("set", "execute_on_answer_2=eval second"), ("answer", ""), ("eval", "end"),
    ),
    "bonded": (("eval", "[${signal_bond}] [${bridge_uuid}] [${last_bridge_to}]"),),
}  # fmt: skip


def make_hooked() -> tuple[str, list[MadeCall]]:
    """Return the contexts as XML, and a call to each extension."""
    body = "".join(
        _EXTENSION.format(
            name,
            "\n".join(f'<action application="{app}" data="{data}"/>' for app, data in actions),
        )
        for name, actions in CASES.items()
    )
    contexts = "".join(
        f'<context name="{name}">\n{inside}{_FALLBACK}{_MOVER}</context>\n'
        for name, inside in (("hooked", body), ("elsewhere", ""))
    )
    calls = [MadeCall("hooked", name, f"1202556{at:04}") for at, name in enumerate(CASES)]
    return contexts, calls
