"""What keeps people out of a page.

axe-core finds it for keyboards and screen readers, a script here for narrow windows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import pytest

PACKAGE = "axe-core@4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"


@cache
def axe_source() -> str:
    """Return axe-core's source: from FSGITOPS_TEST_AXE, or fetched with npm; skip without both."""
    named = os.environ.get("FSGITOPS_TEST_AXE")
    if named:
        return Path(named).read_text(encoding="utf-8")
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("neither FSGITOPS_TEST_AXE nor npm is there to have axe-core from")
    with tempfile.TemporaryDirectory() as folder:
        fetch = [npm, "pack", PACKAGE, "--fetch-retries=0"]
        try:
            subprocess.run(fetch, cwd=folder, check=True, capture_output=True, timeout=30)
        except (subprocess.SubprocessError, OSError):
            pytest.skip("npm could not fetch axe-core")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member
            source = member.read()
    assert hashlib.sha256(source).hexdigest() == SHA256
    return source.decode()


# The value of this expression is a promise of what axe finds, each with the first element of it.
FIND_BARRIERS = (
    "axe.run().then(found => found.violations.map(one => one.id + ': ' + one.nodes[0].html))"
)

# Of this one, what stands outside of the window, or holds more than it shows.
FIND_CUT = """Array.from(document.querySelectorAll('body *'))
    .filter((one) => one.checkVisibility() && one.getClientRects().length)
    .filter((one) => !one.closest('thead, .skip'))
    .filter((one) => {
        const place = one.getBoundingClientRect();
        const outside = place.right > innerWidth + 1 || place.left < -1;
        const typed = ['INPUT', 'SELECT'].includes(one.tagName);
        return outside || !typed && one.clientWidth && one.scrollWidth > one.clientWidth + 1;
    }).map((one) => one.tagName + '#' + one.id + '.' + one.className)"""
