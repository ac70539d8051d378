"""Draw scale-time.svg and scale-memory.svg into a folder, from the figures of `bench/scale.py`.

    python bench/plots.py FOLDER < scale.json

Run with the Python that `bench/scale.py` installs matplotlib for. The same figures give the same
bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib import rcParams
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

STYLE = {
    "svg.hashsalt": "fsgitops",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

PANELS = ("plan, nothing changed", "plan, all new", "apply, all new")
COLOURS = {"octodns": "#8a8a8a", "files": "#1f6fb4", "sharded": "#c8511b"}
MEASURES = {
    "scale-time.svg": ("cpu_s", "CPU seconds"),
    "scale-memory.svg": ("peak_mb", "peak memory, MB"),
}


def draw(figures: list[dict[str, Any]], machine: dict[str, Any], name: str, folder: Path) -> None:
    """Draw one measure: a panel for each step, a line for each program, layout and cache."""
    field, label = MEASURES[name]
    picture, axes = plt.subplots(1, len(PANELS), figsize=(10, 3.9), sharey=True)
    for panel, step in zip(axes, PANELS, strict=True):
        shown = [figure for figure in figures if figure["step"].startswith(step)]
        for key in sorted({_line_of(figure) for figure in shown}):
            points = sorted((f["resources"], f[field]) for f in shown if _line_of(f) == key)
            who, cache = key
            panel.plot(
                *zip(*points, strict=True),
                color=COLOURS[who],
                linestyle="--" if "warm" in cache else "-",
                marker="o",
                markersize=3,
                label=f"octoDNS{cache}" if who == "octodns" else f"fsgitops, {who}{cache}",
            )
        sizes = sorted({figure["resources"] for figure in figures})
        panel.set(title=step, xscale="log", yscale="log", xlabel="resources")
        panel.set_xticks(sizes)
        panel.set_xticks([], minor=True)
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
            axis.set_minor_formatter(NullFormatter())
        panel.tick_params(axis="x", labelsize=7, rotation=30)
        panel.grid(color="#e2e2e2", linewidth=0.6)
        panel.set_axisbelow(True)
        panel.legend(fontsize=7, frameon=False)
    axes[0].set_ylabel(label)
    on = f"{machine['cores']} cores of {machine['processor']}, Python {machine['python']}"
    picture.text(0.01, 0.01, on, fontsize=7, color="#666666")
    picture.tight_layout(rect=(0, 0.03, 1, 1))
    picture.savefig(folder / name, metadata={"Date": None, "Creator": None})


def _line_of(figure: dict[str, Any]) -> tuple[str, str]:
    _, found, cache = figure["step"].rpartition(", ")
    return figure["layout"] or figure["program"], found + cache if "cache" in cache else ""


def main() -> None:
    """Draw both plots."""
    rcParams.update(STYLE)
    raw, folder = json.load(sys.stdin), Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in MEASURES:
        draw(raw["figures"], raw["machine"], name, folder)


if __name__ == "__main__":
    main()
