"""A review as one page that needs nothing else: no server, no network."""

from __future__ import annotations

from fsgitops.steps.render_html.page import render_html

__all__ = ["render_html"]
