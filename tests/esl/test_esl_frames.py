from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scripted_esl import (
    PIECES,
    api_response,
    json_event,
)

from fsgitops.errors import (
    SwitchProtocolError,
)
from fsgitops.esl.frames import MAX_BODY_BYTES, MAX_HEADER_BYTES, Frame, FrameReader


def read_all(chunks: list[bytes]) -> tuple[list[Frame], bool]:
    reader, frames = FrameReader(), []
    try:
        for chunk in chunks:
            frames.extend(reader.frames(chunk))
    except SwitchProtocolError:
        return frames, True
    return frames, False


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(at)]


bodies = st.binary(max_size=60)
cuts = st.lists(st.integers(0, 10_000), max_size=12)


@given(st.lists(bodies, max_size=6), cuts)
def test_any_chunking_yields_the_same_frames(sent: list[bytes], places: list[int]) -> None:
    stream = b"".join(
        api_response(body) if i % 2 else json_event(body) for i, body in enumerate(sent)
    )
    frames, failed = read_all(cut(stream, places))
    assert [frame.body for frame in frames] == sent
    assert not failed


esl_like = st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(PIECES)), max_size=12).map(
    b"".join
)


@example(b"Content-Length:\nContent-Length:\0\n", [])
@given(esl_like, cuts)
def test_any_chunking_of_garbage_fails_at_the_same_place(data: bytes, places: list[int]) -> None:
    whole = read_all([data])
    assert read_all(cut(data, places))[0] == whole[0]
    assert read_all([bytes([sign]) for sign in data]) == whole


@pytest.mark.parametrize("length", ["-1", "99999999999", str(MAX_BODY_BYTES + 1), "0x10", "", "٣"])
def test_an_impossible_content_length_is_refused(length: str) -> None:
    with pytest.raises(SwitchProtocolError, match="Content-Length"):
        list(
            FrameReader().frames(
                f"Content-Type: api/response\nContent-Length: {length}\n\n".encode()
            )
        )


def test_two_different_content_lengths_are_refused() -> None:
    data = b"Content-Type: api/response\nContent-Length: 3\nContent-Length: 4\n\nabcd"
    with pytest.raises(SwitchProtocolError, match="two different"):
        list(FrameReader().frames(data))


def test_an_endless_header_block_is_refused() -> None:
    reader = FrameReader()
    with pytest.raises(SwitchProtocolError, match="header block"):
        for _ in range(MAX_HEADER_BYTES):
            list(reader.frames(b"Name: value\n"))


def test_a_greeting_of_another_protocol_is_told_by_its_first_line() -> None:
    with pytest.raises(SwitchProtocolError, match="SSH-2"):
        list(FrameReader().frames(b"SSH-2.0-OpenSSH_9.2p1\r\n"))


def test_a_message_without_content_type_is_refused() -> None:
    with pytest.raises(SwitchProtocolError, match="without Content-Type"):
        list(FrameReader().frames(b"Reply-Text: +OK\n\n"))
