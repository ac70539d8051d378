"""Names of variables that FreeSWITCH 1.11.3-dev, its modules or its stock dialplan may read.

Gathered from its source by `tests/switch_names.py` (docs/variables.md), in small letters. What is
neither there nor of one of these families is a site's own.
"""

from __future__ import annotations

from importlib.resources import files

_FAMILIES = """
absolute api app bert bind bridge bypass campon cc channel conference confvar core curl db detect
dial dtls dtmf eavesdrop effective enum event exec execute export fax fifo fire force fsgitops fsk
function hangup hash hold http ice js json lcr limit loopback lua media mod nibble nolocal null
orig originate origination osp outbound park playback presence process python record recording rtcp
rtmp rtp scope sdp session shell sip skinny skip smpp sofia spandsp srtp switch system t38 tone
transfer tts uuid valet variable verto video vm voicemail xml
"""
FAMILIES = frozenset(_FAMILIES.split())
"""The first words of names that FreeSWITCH puts together as it runs, such as `execute_on_`."""

READ = frozenset((files(__package__) / "switch_names.txt").read_text("ascii").split())
