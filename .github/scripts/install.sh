#!/usr/bin/env bash
# Puts `fsgitops` on the path, and says on standard output which folder it is in: what is there
# already, this checkout, or what FSGITOPS_INSTALL or fsgitops.txt beside this script names (`fsgitops
# init` wrote that). What it needs is installed by hash, from requirements.txt beside this script,
# and into an environment of its own: the machine's Python stays as it is.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sha256='[0-9a-f]{64}'
address='https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~%+/-]+'

if command -v fsgitops >/dev/null; then
    fsgitops --version >&2
    dirname "$(command -v fsgitops)"
    exit 0
fi

lock=$here/requirements.txt
if [ -f fsgitops/__init__.py ] && [ -f requirements-run.lock ]; then
    lock=requirements-run.lock
    wanted=(.)
elif [ -z "${FSGITOPS_INSTALL:-}" ]; then
    wanted=(--requirement "$here/fsgitops.txt")
elif [[ $FSGITOPS_INSTALL =~ ^[0-9]+(\.[0-9a-z]+)*$ ]]; then
    wanted=("fsgitops==$FSGITOPS_INSTALL")
elif [[ $FSGITOPS_INSTALL =~ ^($address(\.whl|\.tar\.gz)#sha256=$sha256|git\+$address@[0-9a-f]{40})$ ]]; then
    wanted=("fsgitops @ $FSGITOPS_INSTALL")
elif [[ $FSGITOPS_INSTALL =~ ^([A-Za-z0-9._~/-]+\.whl)$ ]] && [ -f "$FSGITOPS_INSTALL" ]; then
    wanted=("$(realpath "$FSGITOPS_INSTALL")")
else
    {
        echo "FSGITOPS_INSTALL is none of these:"
        echo "  a version                      0.1.0"
        echo "  an address with its hash       https://…/fsgitops-0.1.0-py3-none-any.whl#sha256=…"
        echo "  a repository with a commit     git+https://…@… (40 digits)"
        echo "  the path of a wheel that is here"
    } >&2
    exit 64
fi

# Where the runner tidies up by itself: GitHub's between jobs, GitLab's before the next one.
place=${RUNNER_TEMP:-${CI_PROJECT_DIR:-$(mktemp -d)}}/.fsgitops-venv
python3 -m venv --clear "$place"
pip=("$place/bin/python" -m pip --quiet --disable-pip-version-check install)
"${pip[@]}" --require-hashes --requirement "$lock" >&2
"${pip[@]}" --no-deps --no-build-isolation "${wanted[@]}" >&2
"$place/bin/fsgitops" --version >&2
if [ -n "${GITHUB_PATH:-}" ]; then
    echo "$place/bin" >>"$GITHUB_PATH"
fi
echo "$place/bin"
