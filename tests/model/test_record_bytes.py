"""What is kept of each resource is encoded one by one exactly as `json.dumps` encodes it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from fsgitops.model.live import Manifest, ManifestEntry, Record
from fsgitops.model.plan import Action
from fsgitops.model.resource import Resource
from fsgitops.model.revision import RevisionChange

_texts = st.text(max_size=8) | st.sampled_from(['q"\\', "é\u2028", ""])
_resources = st.builds(Resource, st.just("agent"), _texts)
_records = st.builds(
    Record, _resources, _texts, _texts, _texts, st.booleans(), _texts,
    st.lists(_texts, max_size=2).map(tuple),
)  # fmt: skip
_entries = st.builds(ManifestEntry, _texts, st.lists(_records, min_size=1, max_size=3).map(tuple))


@given(st.dictionaries(_texts, _entries, max_size=3))
def test_a_manifest_is_encoded_entry_by_entry_as_a_whole_is(
    entries: dict[str, ManifestEntry],
) -> None:
    said = {path: entry.to_json() for path, entry in entries.items()}
    whole = json.dumps({"entries": said, "version": 1}, sort_keys=True, separators=(",", ":"))
    assert Manifest(entries).encode().decode() == whole


@given(
    st.builds(
        RevisionChange, st.sampled_from(Action), _resources, _texts, st.booleans(), _texts,
        entry_before=st.none() | _entries, existed=st.booleans(), login=_texts, left=_texts,
    )
)  # fmt: skip
def test_a_change_of_a_revision_is_encoded_as_a_whole_is(change: RevisionChange) -> None:
    assert change.encode() == json.dumps(change.to_json())
