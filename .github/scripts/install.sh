#!/usr/bin/env bash
# Puts `fsgitops` on the path: what is there already, this checkout, or the release that these
# pipelines came with (FSGITOPS_VERSION names another).
set -euo pipefail
if command -v fsgitops >/dev/null; then
    fsgitops --version
elif [ -f fsgitops/__init__.py ] && [ -f requirements.lock ]; then
    python3 -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .
else
    python3 -m pip install --quiet --disable-pip-version-check "fsgitops==${FSGITOPS_VERSION:-0.1.0}"
fi
