#!/usr/bin/env bash
# Puts `fsgitops` on the path: what is there already, this checkout, or the release that is named.
set -euo pipefail
if command -v fsgitops >/dev/null; then
    fsgitops --version
elif [ -f fsgitops/__init__.py ] && [ -f requirements.lock ]; then
    python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
    python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .
else
    python -m pip install --quiet --disable-pip-version-check "fsgitops${FSGITOPS_VERSION:+==$FSGITOPS_VERSION}"
fi
