#!/usr/bin/env bash
# Makes the checkout of a merge request what it will be once it is merged, and prints the commit to
# compare that with: without this, what others have merged since would look like deletions.
# Where it cannot be done, what is recorded (STATE) is put aside, and BASE_SHA is compared with.
set -uo pipefail
export GIT_TERMINAL_PROMPT=0
from=origin
if [ "$CI_PROJECT_ID" != "$CI_MERGE_REQUEST_PROJECT_ID" ]; then
    from=$CI_MERGE_REQUEST_PROJECT_URL.git
fi
merged=refs/fsgitops/target
if git fetch --quiet --no-tags "$from" "+refs/heads/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME:$merged" >&2 &&
    git -c user.name=fsgitops -c user.email=fsgitops@localhost merge --quiet --no-edit "$merged" >&2; then
    git rev-parse "$merged"
else
    git merge --abort 2>/dev/null
    rm -f "${STATE:-}"
    echo "Not merged with its target branch: compared with the commit that it is based on." >&2
    echo "$BASE_SHA"
fi
