"""Compile the desired state: what each file below the conf directory must hold, byte for byte."""

from __future__ import annotations

from fsgitops.steps.compile.config import compile_config

__all__ = ["compile_config"]
