"""`doctor`: is everything in place for every call to be recorded, and what to do if not."""

from __future__ import annotations

import ipaddress
import os
import shutil
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from fsgitops.cdr.lake import ROOT, local_folder, open_lake
from fsgitops.cdr.spool import SPOOL_FILE, Spool
from fsgitops.diagnosis import Check, bad, good, judge
from fsgitops.errors import FsgitopsError, SwitchError
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fsgitops.cdr.options import RunOptions
    from fsgitops.esl.session import EslSession

_LEAST_FREE = 1024**3
JSON_CDR_CONF = """\
<configuration name="json_cdr.conf" description="JSON CDR">
  <settings>
    <param name="log-dir" value="{folder}"/>
    <param name="log-b-leg" value="true"/>
    <param name="prefix-a-leg" value="false"/>
    <param name="encode-values" value="false"/>
    <param name="rotate" value="false"/>
  </settings>
</configuration>
"""


def examine(options: RunOptions, connect: Callable[[], EslSession] | None) -> list[Check]:
    """Look at the spool, the lake, the JSON directory and the switch."""
    found = [*check_spool(options.spool), check_lake(options.lake)]
    if options.json_dir is None:
        found.append(
            bad(
                "json-dir",
                "no JSON directory: calls that end while the sidecar is not connected are lost",
                "set `cdr: {json_dir: …}`",
            )
        )
    else:
        found += check_json_dir(options.json_dir, remove=options.remove_json)
    if options.http is not None:
        found.append(check_http(options.http[0], guarded=options.http_credential is not None))
    if connect is not None:
        found += check_switch(connect, options)
    return found


def check_spool(folder: Path) -> Iterator[Check]:
    """Open the spool where there is one, and look at the room on its disk."""
    if not (folder / SPOOL_FILE).exists():
        yield _check_missing("spool", folder)
        return
    try:
        spool = Spool(folder, check=True)
        rows, size = spool.depth()
        spool.close()
        waiting = f"{count_noun(rows, 'record')} waiting ({count_noun(size, 'byte')})"
        yield good("spool", f"{folder}: sound, {waiting}")
    except FsgitopsError as problem:
        yield bad("spool", str(problem), "`run` moves a damaged spool aside and goes on")
        return
    free = shutil.disk_usage(folder).free
    yield judge(
        "spool",
        free >= _LEAST_FREE,
        f"{folder}: {free // 1024**2} MiB free",
        "keep at least 1 GiB free",
    )


def check_lake(url: str) -> Check:
    """Tell whether the lake can be written: in an object store, by a small file.

    On a local disk nothing is made: by another user than the sidecar's, it would stand in its way.
    """
    place = url.split("?", 1)[0]
    if (folder := local_folder(url)) and not (folder / ROOT).is_dir():
        return _check_missing("lake", folder)
    if folder:
        writable = os.access(folder / ROOT, os.W_OK | os.X_OK)
        told = f"{place}: {'can' if writable else 'cannot'} be written"
        return judge("lake", writable, told, "the sidecar must be able to write there")
    try:
        lake = open_lake(url)
        lake.put("1970-01-01", "_doctor.txt", b"doctor\n")
        lake.delete("1970-01-01", ["_doctor.txt"])
    except FsgitopsError as problem:
        return bad("lake", f"{place}: {problem}", "the sidecar must be able to write there")
    return good("lake", f"{place}: can be written")


def _check_missing(name: str, folder: Path) -> Check:
    above = next(place for place in (folder, *folder.parents) if place.exists())
    able = above.is_dir() and os.access(above, os.W_OK | os.X_OK)
    told = f"{folder}: not there yet; `run` {'makes' if able else 'cannot make'} it in {above}"
    return judge(name, able, told, "make it for the sidecar's user, or correct the path")


def check_json_dir(folder: Path, *, remove: bool) -> Iterator[Check]:
    """Look at the rights on mod_json_cdr's directory."""
    if not folder.is_dir():
        yield bad(
            "json-dir",
            f"{folder}: no such directory",
            "set `log-dir` in json_cdr.conf.xml to it, and create it for the switch's user",
        )
        return
    readable = os.access(folder, os.R_OK | os.X_OK)
    yield judge(
        "json-dir",
        readable,
        f"{folder}: {'readable' if readable else 'not readable'}",
        "give the sidecar's user the right to read it",
    )
    if remove:
        writable = os.access(folder, os.W_OK)
        yield judge(
            "json-dir",
            writable,
            f"{folder}: files {'can' if writable else 'cannot'} be removed",
            "give the sidecar's user the right to write, or leave remove_json off",
        )


def check_http(host: str, *, guarded: bool) -> Check:
    """Look at who may post records: without a credential, everybody who reaches the address."""
    try:
        alone = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        alone = False
    who = "who has the credential" if guarded else "everybody on this machine"
    return judge(
        "http",
        guarded or alone,
        f"{host}: takes posts of {who if guarded or alone else 'everybody who reaches it'}",
        "set `cdr: {http_credential: …}` and mod_json_cdr's `cred`, or listen on 127.0.0.1",
    )


def check_switch(connect: Callable[[], EslSession], options: RunOptions) -> Iterator[Check]:
    """Ask the switch whether mod_json_cdr runs, and as what it is configured."""
    try:
        with connect() as session:
            yield good("switch", f"{session.place}: logged in")
            loaded = session.api("module_exists mod_json_cdr").strip() == "true"
            conf = session.api("xml_locate configuration configuration name json_cdr.conf")
    except SwitchError as problem:
        yield bad(
            "switch", str(problem), "without events, records arrive only with their JSON files"
        )
        return
    snippet = JSON_CDR_CONF.format(folder=options.json_dir or "/var/lib/freeswitch/json_cdr")
    yield judge(
        "json-cdr",
        loaded,
        "mod_json_cdr is " + ("loaded" if loaded else "not loaded"),
        'add <load module="mod_json_cdr"/> to modules.conf.xml, `load mod_json_cdr`, '
        f"and put this into json_cdr.conf.xml:\n{snippet}",
    )
    if loaded:
        yield from judge_conf(conf, snippet)


def judge_conf(conf: str, snippet: str) -> Iterator[Check]:
    """Judge json_cdr.conf as the switch holds it."""
    params = read_params(conf)
    if params is None:
        yield bad("json-cdr", "json_cdr.conf: not found in the switch", f"use this:\n{snippet}")
        return
    off = {"false", "no", "off", "0", "disabled", "inactive", "disallow"}
    both = params.get("log-b-leg", "true").lower() not in off
    yield judge(
        "json-cdr", both, f"B legs are {'' if both else 'not '}written", "set log-b-leg to true"
    )
    plain = params.get("encode-values", "true").lower() in off
    yield judge(
        "json-cdr",
        plain,
        "variables are written " + ("as they are" if plain else "percent-encoded"),
        "set encode-values to false: encoding loses the last character of some values",
    )
    disk = "url" not in params or params.get("log-http-and-disk", "false").lower() not in off
    disk = disk and ("log-dir" in params or "url" in params)
    yield judge(
        "json-cdr",
        disk,
        "records are " + ("written to disk" if disk else "posted only"),
        "set log-dir, and log-http-and-disk to true: a post that waits dies with the switch",
    )
    prefixed = params.get("prefix-a-leg", "false").lower() not in off
    yield good("json-cdr", "A legs' files are named " + ("a_UUID" if prefixed else "UUID"))


def read_params(conf: str) -> dict[str, str] | None:
    """Return the parameters of a configuration that `xml_locate` answered; None for none."""
    try:
        # Without a document type there are no entities to expand.
        text = "" if "<!" in conf else conf.strip()
        root = ElementTree.fromstring(text)  # noqa: S314
    except ElementTree.ParseError:
        return None
    return {p.get("name", ""): p.get("value", "") for p in root.iter("param")}
