#!/bin/sh
# The main job, end to end, in a directory of its own: a new project, a key, a plan, an apply to
# the embedded switch, an empty second plan, a change, a call, and a broken change that is refused.
set -eu
fsgitops=${FSGITOPS:-fsgitops}
project=$(mktemp -d)
switch=
trap '[ -z "$switch" ] || kill "$switch"; rm -rf "$project"' EXIT
unset FSGITOPS_KEY FSGITOPS_TARGET
cd "$project"

run() {
    printf '\n$ fsgitops'
    printf ' %s' "$@"
    printf '\n'
    "$fsgitops" "$@"
}

expect() {
    wanted=$1
    shift
    code=0
    run "$@" || code=$?
    if [ "$code" -ne "$wanted" ]; then
        echo "expected exit code $wanted, found $code" >&2
        exit 1
    fi
    echo "(exit code $code)"
}

run init
run key new
run validate
run test
expect 2 plan --detailed-exitcode
run apply --yes
expect 0 plan --detailed-exitcode

printf '\n# Alice gets another name, and the second number goes to her.\n'
sed -i 's/name: Alice Example/name: Alice Sample/' desired/agents.yaml
sed -i 's/caller_id_name: Example Support/caller_id_name: Sample Support/' desired/agents.yaml
sed -i 's/destination_extension: 1021/destination_extension: 1020/' desired/did_routes.yaml
run plan --out plan.json
run apply plan.json

printf '\n# The switch runs, with a phone of 1020, and somebody calls the main number.\n'
"$fsgitops" sandbox --phone 1020 2>/dev/null &
switch=$!
until [ -e .fsgitops/sandbox/sandbox.json ]; do
    kill -0 "$switch"
    sleep 0.1
done
run sandbox --call +19495431333 --from +12025550123
run calls

printf '\n# A broken change: the destination does not exist, and a value holds dialplan code.\n'
sed -i 's/destination_extension: 1020/destination_extension: 1029/' desired/did_routes.yaml
sed -i 's/name: Bob Example/name: "Bob ${system(reboot)}"/' desired/agents.yaml
expect 3 apply --yes
echo
echo "The demo did all it should."
