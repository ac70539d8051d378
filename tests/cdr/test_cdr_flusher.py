"""The way from the spool to the lake goes on, whatever lies in it."""

from __future__ import annotations

from replay_switch import ReplaySwitch
from sidecars import counted, reach, until

from fsgitops.cdr.flush import Flusher
from fsgitops.cdr.query import Source, fetch


def test_a_part_that_somebody_broke_stops_the_flush_only_until_it_is_gone(
    tmp_path, templates, sidecar
) -> None:
    switch = ReplaySwitch(templates, None)
    one = sidecar(reach(switch.port))
    until(lambda: switch.listeners)
    switch.emit()
    until(lambda: counted(one.metrics.written) == 1)
    (part,) = (tmp_path / "lake").rglob("part-*.parquet")
    one.stop()

    broken = part.with_name(part.name.replace("part-", "part-abcd", 1))
    broken.write_bytes(b"")
    # A fresh spool has to learn what the lake holds, the broken part included.
    (tmp_path / "spool").rename(tmp_path / "former-spool")
    two = sidecar(reach(switch.port))
    until(lambda: switch.listeners)
    switch.emit()
    until(lambda: "lake" in two.metrics.troubles())
    assert broken.name in two.metrics.troubles()["lake"]
    assert two.health()[0] is False
    broken.unlink()
    until(lambda: two.health()[0])
    until(lambda: counted(two.metrics.written) == 1)
    switch.close()
    assert fetch(Source(str(tmp_path / "lake")), "SELECT uuid FROM cdr").num_rows == 2


def test_a_sidecar_whose_flusher_ended_is_not_well(sidecar, monkeypatch) -> None:
    monkeypatch.setattr(Flusher, "alive", property(lambda self: False))
    well, facts = sidecar().health()
    assert (well, facts["status"]) == (False, "failing")
    assert "restart the sidecar" in facts["troubles"]["lake"]
