#!/usr/bin/env bash
# What a pull or merge request changes, for its reviewers: annotations, a comment, a page, a plan.
# Compares with the recorded live state if there is one, and with the base commit otherwise.
# Needs no key and no switch. Reads TARGET, BASE_SHA, STATE, OUT, RUN_URL.
set -uo pipefail
out=${OUT:-plan}
state=${STATE:-}
mkdir -p "$out"
options=(--output "$out/comment.md" --output "$out/plan.html" --output "$out/plan.json" --full-at "${RUN_URL:-}")
if [ -n "${TARGET:-}" ]; then
    options+=(--target "$TARGET")
fi

said=$(mktemp)
if [ -n "${GITLAB_CI:-}" ]; then
    # GitLab reads what it shows in a merge request from files.
    fsgitops validate --format junit --output "$out/junit.xml" >/dev/null 2>&1
    fsgitops validate --format gitlab --output "$out/gl-code-quality-report.json" 2>"$said"
else
    fsgitops validate --format github 2>"$said"
fi
valid=$?

# Names in a plan are no commands to the runner, which otherwise looks for some in any line.
if [ -n "${GITHUB_ACTIONS:-}" ]; then
    token=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
    echo "::stop-commands::$token"
    trap 'echo "::$token::"' EXIT
fi
cat "$said"
rm -f "$said"
if [ -n "$state" ] && [ -f "$state" ]; then
    fsgitops plan --against "$state" "${options[@]}"
elif [ -n "${BASE_SHA:-}" ]; then
    fsgitops diff "${options[@]}" -- "$BASE_SHA"
else
    fsgitops plan "${options[@]}"
fi
planned=$?

if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$out/comment.md" ]; then
    cat "$out/comment.md" >>"$GITHUB_STEP_SUMMARY"
fi
if [ "$valid" -ne 0 ]; then
    exit "$valid"
fi
exit "$planned"
