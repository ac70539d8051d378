"""A caller ID name as FreeSWITCH must hold it, so that phones show the whole of it."""

from __future__ import annotations

import re
from typing import Final

# switch_sanitize_number in src/include/switch_utils.h cuts a name at these before sofia sends it.
_CUT: Final = re.compile(r"[:/@]")
# switch_url_decode takes `% 1` and `%a` for a character as well: sscanf reads "%2x".
_DECODED: Final = re.compile(r"%(?=\s*[+-]?[0-9A-Fa-f])")


def encode_caller_name(name: str) -> str:
    """Return what to write for a name; most names are returned as they are.

    check_decode in mod_sofia.h decodes `%3A` and its like after FreeSWITCH has cut the name, and
    then keeps what stands between the first and the last double quote. A backslash would escape
    the character after it in the header. (Seen: From and Remote-Party-ID hold the whole name.)
    """
    text = _DECODED.sub("%25", name).replace("\\", "%5C%5C")
    text = _CUT.sub(lambda found: f"%{ord(found[0]):02X}", text)
    if '"' not in text:
        return text
    inner = text.replace('"', "%5C%22")
    return f"%22{inner}%22"
