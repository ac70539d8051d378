#!/usr/bin/env bash
# Applies exactly the plan that was approved, or refuses. Reads TARGET, PLAN, PLAN_SHA256, OUT and
# FSGITOPS_ALLOW (permissions, each as `--allow` takes it); writes `state` and `text` as outputs,
# for the commit, and ends as the apply ended.
set -uo pipefail
out=${OUT:-applied}
mkdir -p "$out"
outputs=${OUTPUTS:-${GITHUB_OUTPUT:-}}
# Not to /dev/stdout: it cannot be opened where it is a socket.
emit() {
    if [ -n "$outputs" ]; then cat >>"$outputs"; else cat; fi
}
# Names in messages are no commands to the runner, which otherwise looks for some in any line.
if [ -n "${GITHUB_ACTIONS:-}" ]; then
    token=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
    echo "::stop-commands::$token"
    trap 'echo "::$token::"' EXIT
fi

finish() {
    printf 'state=%s\ntext=%s\n' "$2" "$3" | emit
    exit "$1"
}
# What the apply said of itself, in one line that fits into a variable.
said() {
    python3 -c '
import json, re, sys
try:
    message = str(json.load(open(sys.argv[1]))["message"])
except (OSError, ValueError, LookupError, TypeError):
    message = "see the log"
names = re.findall("^--allow ([a-z-]+):", message, re.MULTILINE)
needs = ["needs --allow {}:".format(", ".join(names))] if names else []
print(" ".join([*needs, *message.split()])[:1000])
' "$out/applied.json"
}

if ! printf '%s  %s\n' "$PLAN_SHA256" "$PLAN" | sha256sum --check --status; then
    echo "The plan is not the one that was approved: nothing is applied." >&2
    finish 4 failure "Refused: the plan is not the one that was approved"
fi
echo "sha256=$PLAN_SHA256"
allowed=${FSGITOPS_ALLOW:-}
read -ra names <<<"${allowed//[$',\n']/ }"
allow=()
for name in "${names[@]}"; do
    allow+=(--allow "$name")
done
fsgitops apply --target "$TARGET" "${allow[@]}" --json "$PLAN" >"$out/applied.json"
code=$?
case $code in
    0) ;;
    4)
        echo "Where the plan is stale, run the job \`propose\` again, and approve what it makes." >&2
        finish 4 failure "Refused: $(said)"
        ;;
    5) finish 5 failure "Failed; everything was put back as it was: $(said)" ;;
    6) finish 6 error "Failed, and putting things back failed too: look at the switch now" ;;
    *) finish "$code" failure "Failed with exit code $code: $(said)" ;;
esac
fsgitops export-state --target "$TARGET" --out "$out/state.json" || finish $? error "Applied, but the state could not be recorded"
text=$(python3 -c '
import json, sys
done = json.load(open(sys.argv[1]))
print("Applied: {created} created, {updated} changed, {deleted} deleted".format(**done))
' "$out/applied.json")
finish 0 success "$text"
