"""A real FreeSWITCH on a private copy of the stock configuration, on loopback only.

Needs the binary and the stock "vanilla" configuration; writes only below `work_dir`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from plain_esl import PlainEsl

READY_ATTEMPTS = 600
STOP_SECONDS = 20

EVENT_SOCKET = """<configuration name="event_socket.conf">
  <settings>
    <param name="nat-map" value="false"/>
    <param name="listen-ip" value="127.0.0.1"/>
    <param name="listen-port" value="{port}"/>
    <param name="password" value="{password}"/>
    <param name="stop-on-bind-error" value="true"/>
  </settings>
</configuration>
"""

JSON_CDR = """<configuration name="json_cdr.conf">
  <settings>
    <param name="log-b-leg" value="true"/>
    <param name="prefix-a-leg" value="false"/>
    <param name="encode" value="false"/>
    <param name="log-dir" value="{folder}"/>
    <param name="rotate" value="false"/>
  </settings>
</configuration>
"""

FOLDERS = (
    *("db", "run", "scripts", "temp", "certs", "recordings"),
    *("storage", "cache", "sounds", "htdocs", "grammar"),
)
"""Where FreeSWITCH keeps what is no configuration: each is an option of its command line."""
SMALL_SWITCH = Path(__file__).parent / "switch_conf"
"""A switch configuration of the project's own, with the same folders as the stock one."""


def switch_template() -> Path:
    """The stock configuration where it is beside the checkout, else the project's own."""
    stock = Path(__file__).resolve().parents[2] / "shared" / "freeswitch-conf" / "vanilla"
    return stock if stock.is_dir() else SMALL_SWITCH


class RealSwitch:
    """Start it, use its `conf_dir` and ports, stop it. `template` is the stock configuration.

    With `user` it runs as that user and group, and `work_dir` becomes theirs (root only).
    """

    domain = "127.0.0.1"

    def __init__(
        self, binary: Path, work_dir: Path, template: Path, user: int | None = None
    ) -> None:
        self.user = user
        self.binary = binary
        self.work_dir = work_dir
        self.template = template
        self.conf_dir = work_dir / "conf"
        self.log_dir = work_dir / "log"
        self.json_cdr_dir = work_dir / "json_cdr"
        self.esl_host = "127.0.0.1"
        self.esl_password = secrets.token_hex(12)
        self.esl_port, self.internal_port, self.external_port = free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None

    def settings(
        self, more: str = "", *, top: str = "", password: str = "{env: TEST_ESL_PASSWORD}"
    ) -> str:
        """Return settings with this switch as the target `real`; `more` are lines of the target."""
        return f"""\
project: test
default_region: US
{top}targets:
  real:
    conf_dir: {self.conf_dir}
    domain: {self.domain}
    esl: {{host: {self.esl_host}, port: {self.esl_port}, password: {password}}}
{more}"""

    def start(self) -> RealSwitch:
        self.prepare()
        folders = {name: self.work_dir / name for name in FOLDERS}
        for folder in (*folders.values(), self.log_dir, self.json_cdr_dir):
            folder.mkdir(parents=True, exist_ok=True)
        flags = [part for name, folder in folders.items() for part in (f"-{name}", str(folder))]
        command = [
            str(self.binary),
            "-nonat",
            "-nf",
            "-nc",
            "-np",
            "-nocal",
            "-conf",
            str(self.conf_dir),
            "-log",
            str(self.log_dir),
            *flags,
        ]
        if self.user is not None:
            for place in (self.work_dir, *self.work_dir.rglob("*")):
                os.chown(place, self.user, self.user)
        with (self.log_dir / "console.log").open("wb") as console:
            self._process = subprocess.Popen(
                command,
                cwd=self.work_dir,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else (),
            )
        self._wait_until_ready()
        return self

    def stop(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(OSError, AssertionError), self.esl() as esl:
            esl.command("api fsctl shutdown now")
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)
        self._process = None

    def esl(self) -> PlainEsl:
        return PlainEsl.open(self.esl_host, self.esl_port, self.esl_password)

    def prepare(self) -> None:
        """Write the private copy: loopback only, own ports, only the modules that are there."""
        shutil.copytree(self.template, self.conf_dir)
        for path in self.conf_dir.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        self.conf_dir.chmod(0o755)
        for name in ("internal-ipv6.xml", "external-ipv6.xml"):
            (self.conf_dir / "sip_profiles" / name).unlink(missing_ok=True)
        self._adapt_variables()
        self._adapt_profiles()
        self._adapt_modules()
        loaded = self.conf_dir / "autoload_configs"
        (loaded / "event_socket.conf.xml").write_text(
            EVENT_SOCKET.format(port=self.esl_port, password=self.esl_password)
        )
        (loaded / "json_cdr.conf.xml").write_text(JSON_CDR.format(folder=self.json_cdr_dir))

    def _adapt_variables(self) -> None:
        path = self.conf_dir / "vars.xml"
        settings = {
            "default_password": secrets.token_hex(12),
            "domain": self.domain,
            "external_rtp_ip": "127.0.0.1",
            "external_sip_ip": "127.0.0.1",
            "internal_sip_port": str(self.internal_port),
            "external_sip_port": str(self.external_port),
            "global_codec_prefs": "PCMU,PCMA",
            "outbound_codec_prefs": "PCMU,PCMA",
        }
        text = path.read_text()
        for name, value in settings.items():
            text = re.sub(
                rf'cmd="(?:set|stun-set)" data="{name}=[^"]*"',
                f'cmd="set" data="{name}={value}"',
                text,
            )
        first = '<X-PRE-PROCESS cmd="set" data="local_ip_v4=127.0.0.1"/>\n'
        path.write_text(text.replace("<include>\n", "<include>\n" + first, 1))

    def _adapt_profiles(self) -> None:
        for path in (self.conf_dir / "sip_profiles").glob("*.xml"):
            text = re.sub(r'<param name="wss?-binding"[^>]*/>', "", path.read_text())
            # sipp takes a NOTIFY about waiting messages for the call that it is to answer.
            quiet = '<settings>\n<param name="send-message-query-on-register" value="false"/>'
            text = text.replace("<settings>", quiet, 1)
            path.write_text(text.replace("$${local_ip_v4}", "127.0.0.1"))

    def _adapt_modules(self) -> None:
        path = self.conf_dir / "autoload_configs" / "modules.conf.xml"
        folder = self.binary.resolve().parent.parent / "lib" / "freeswitch" / "mod"
        there = {file.stem for file in folder.glob("*.so")}
        wanted = re.findall(r'^\s*<load module="(\w+)"/>', path.read_text(), re.MULTILINE)
        kept = [name for name in [*wanted, "mod_json_cdr"] if name in there]
        lines = "\n".join(f'    <load module="{name}"/>' for name in dict.fromkeys(kept))
        body = f"<modules>\n{lines}\n</modules>"
        path.write_text(f'<configuration name="modules.conf">\n{body}\n</configuration>\n')

    def _wait_until_ready(self) -> None:
        """Ask until both SIP profiles run; each attempt ends by itself, so the wait is bounded."""
        assert self._process is not None
        for _ in range(READY_ATTEMPTS):
            try:
                self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
            else:
                raise RuntimeError(f"FreeSWITCH ended at once:\n{self._last_words()}")
            with contextlib.suppress(OSError), self.esl() as esl:
                if esl.api("sofia status").count("RUNNING") >= 2:
                    return
        self.stop()
        raise RuntimeError(f"FreeSWITCH never got ready:\n{self._last_words()}")

    def _last_words(self) -> str:
        log = self.log_dir / "console.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else "(no output)"


def die_with_parent() -> None:
    """Run in the child: a test run that is killed must not leave a switch behind (Linux)."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Ports that are free for TCP and UDP on loopback at this moment."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            tcp = stack.enter_context(socket.socket())
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                found.append(port)
    return found
