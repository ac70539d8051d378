"""No variable makes FreeSWITCH run a command or an application."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired

# From the FreeSWITCH source, 1.11.3-dev. Names are compared without regard to case, as it does.
_RUNS = re.compile(
    # switch_channel_execute_on() and switch_channel_api_on() in src/switch_channel.c take every
    # variable whose name only begins so: execute_on_answer_7 runs too. Elsewhere there are
    # sip_execute_on_image, opal_api_on_t38 and their like, so they count anywhere in the name.
    r"execute_on_|api_on_"
    # src/switch_ivr_bridge.c, by the names in src/include/switch_types.h
    r"|^api_(?:after|before)_bridge|^exec_after_bridge_|^bridge_pre_execute_"
    # Run by api_hook, in src/switch_core_state_machine.c
    r"|^api_(?:hangup|reporting)_hook$|^session_in_hangup_hook$"
    # Run by record_helper_post_process, in src/switch_ivr_async.c
    r"|^record_post_process_exec_"
    # They may name the dialplan `inline`, in which an extension is an application to run.
    r"|^transfer_(?:after_|on_fail)|^hold_hangup_xfer_exten$|^park_timeout$|_dialplan$"
    # mod_loopback.c, mod_python3.c
    r"|^loopback_app|^python_script_path$"
)
# process_export in src/switch_channel.c takes these away and sets the rest of the name.
_NOLOCAL = re.compile(r"^_?nolocal[_:]")
# mod_shell_stream runs what follows; group_confirm_key "exec" runs the application that
# group_confirm_file names (src/switch_ivr_originate.c).
_SHELL = re.compile(r"shell_stream:", re.IGNORECASE)


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every variable that runs something as soon as it is set on a channel."""
    for item in desired.agents:
        for name, value in item.variables.items():
            lower = _NOLOCAL.sub("", name.lower())
            path = ("variables", name)
            if _RUNS.search(lower):
                yield Breach(
                    agent(item.extension),
                    path,
                    f"the variable `{name}` makes FreeSWITCH run what its value says",
                    "Put it into the dialplan, where it is reviewed as code.",
                    key=True,
                )
            elif _SHELL.search(value) or (lower == "group_confirm_key" and value.lower() == "exec"):
                yield Breach(
                    agent(item.extension),
                    path,
                    f"the value of `{name}` makes FreeSWITCH run a command",
                    "Name a file or a stream that does not run one.",
                )
