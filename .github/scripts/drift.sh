#!/usr/bin/env bash
# Looks for drift and writes it down for an issue. Reads TARGET, OUT; writes `drifted` as an output.
# Ends with 0 whether there is drift or not, and with another code when nobody could tell.
set -uo pipefail
out=${OUT:-drift}
mkdir -p "$out"
outputs=${OUTPUTS:-${GITHUB_OUTPUT:-}}
# Not to /dev/stdout: it cannot be opened where it is a socket.
emit() {
    if [ -n "$outputs" ]; then cat >>"$outputs"; else cat; fi
}
fsgitops drift --target "$TARGET" >"$out/drift.txt" 2>"$out/notes.txt"
code=$?
# What stands on the switch is no command to the runner, which otherwise looks for some in any line.
if [ -n "${GITHUB_ACTIONS:-}" ]; then
    token=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
    echo "::stop-commands::$token"
    trap 'echo "::$token::"' EXIT
fi
cat "$out/drift.txt" "$out/notes.txt"
case $code in
    0) drifted=false ;;
    2) drifted=true ;;
    *) exit "$code" ;;
esac
{
    printf '### fsgitops: `%s` is not as it was applied\n\n' "$TARGET"
    # Each line begins with four spaces: whatever it holds, it stays code.
    head -c 50000 "$out/drift.txt" | sed 's/^/    /'
    printf '\n\nRun `fsgitops plan` to see what an apply would put back. This issue is kept up to date, and closed when the drift is gone.\n'
} >"$out/issue.md"
printf 'drifted=%s\n' "$drifted" | emit
