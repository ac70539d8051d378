#!/usr/bin/env bash
# The plan that somebody approves and that is then applied as it is: made on the machine that
# reaches the switch, with the key. Reads TARGET, OUT; writes `changes` and `sha256` as outputs.
set -euo pipefail
out=${OUT:-plan}
mkdir -p "$out"
outputs=${OUTPUTS:-${GITHUB_OUTPUT:-}}
# Not to /dev/stdout: it cannot be opened where it is a socket.
emit() {
    if [ -n "$outputs" ]; then cat >>"$outputs"; else cat; fi
}
# Names in a plan are no commands to the runner, which otherwise looks for some in any line.
if [ -n "${GITHUB_ACTIONS:-}" ]; then
    token=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
    echo "::stop-commands::$token"
    trap 'echo "::$token::"' EXIT
fi
fsgitops plan --target "$TARGET" --out "$out/plan.json" \
    --output "$out/comment.md" --output "$out/plan.html"
sum=$(sha256sum "$out/plan.json" | cut -d ' ' -f 1)
changes=$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["changes"]))' "$out/plan.json")
fsgitops export-state --target "$TARGET" --out "$out/state.json"
printf 'sha256=%s\nchanges=%s\n' "$sum" "$changes" | emit
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    cat "$out/comment.md" >>"$GITHUB_STEP_SUMMARY"
fi
