"""The record: its columns, their types, units and where each value comes from.

`SCHEMA_VERSION` is in the metadata of every Parquet file. A new column raises it; no column ever
changes its meaning, its unit or its type, so that old and new files can be read together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1
VERSION_KEY = b"fsgitops.cdr.schema"

Kind = Literal["text", "int", "float", "time", "bool", "map"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `raw` names the event header it is copied from.

    None: the record builder makes it; "": it is computed when a part is written.
    """

    name: str
    kind: Kind
    raw: str | None
    about: str


def _variable(name: str, kind: Kind, variable: str, about: str) -> Column:
    return Column(name, kind, f"variable_{variable}", about)


def _computed(name: str, kind: Kind, about: str) -> Column:
    return Column(name, kind, "", about)


COLUMNS: tuple[Column, ...] = (
    Column("uuid", "text", None, "the channel's UUID: one leg of a call"),
    Column("leg", "text", None, "`a`: the leg that began the call; `b`: a leg that it caused"),
    Column("other_leg_uuid", "text", None, "the leg this one was bridged to or caused by"),
    Column("call_uuid", "text", None, "the same on all legs of a call: the A leg's UUID"),
    Column("direction", "text", None, "`inbound` or `outbound`, as the switch sees the leg"),
    Column("caller_id_name", "text", "Caller-Caller-ID-Name", "what the caller calls himself"),
    Column("caller_id_number", "text", "Caller-Caller-ID-Number", "the caller's number"),
    Column("destination_number", "text", "Caller-Destination-Number", "where the leg ended up"),
    Column("did_number", "text", None, "the number an outside caller dialled (A legs only)"),
    Column("agent_extension", "text", None, "the agent who placed, was rung by or answered it"),
    Column("gateway", "text", None, "the gateway the leg came or went by"),
    Column("context", "text", "Caller-Context", "the dialplan context"),
    _variable("start_time", "time", "start_uepoch", "when the leg began"),
    _variable("answer_time", "time", "answer_uepoch", "when it was answered; null: never"),
    _variable("bridge_time", "time", "bridge_uepoch", "when it was first bridged; null: never"),
    _variable("end_time", "time", "end_uepoch", "when it ended"),
    _variable("duration", "int", "duration", "seconds from start to end, as the switch rounds"),
    _variable("billsec", "int", "billsec", "seconds from answer to end, as the switch rounds"),
    _variable("duration_ms", "int", "mduration", "milliseconds from start to end"),
    _variable("billsec_ms", "int", "billmsec", "milliseconds from answer to end"),
    _computed("progress_ms", "int", "milliseconds from start to ringing (180); null: none"),
    _computed("pdd_ms", "int", "post-dial delay: milliseconds to the first ringing or media"),
    _variable("wait_ms", "int", "waitmsec", "milliseconds from start to the bridge or answer"),
    _variable("hold_ms", "int", "hold_accum_ms", "milliseconds on hold"),
    _computed("answered", "bool", "whether the leg was answered"),
    Column("hangup_cause", "text", None, "FreeSWITCH's hang-up cause, such as NORMAL_CLEARING"),
    _variable("hangup_cause_q850", "int", "hangup_cause_q850", "the Q.850 code of the cause"),
    _variable("hangup_disposition", "text", "sip_hangup_disposition", "who hung up: recv_bye, …"),
    _computed("sip_status", "int", "the final SIP status"),
    _variable("bridge_hangup_cause", "text", "bridge_hangup_cause", "why the bridge ended"),
    _variable("endpoint_disposition", "text", "endpoint_disposition", "ANSWER, EARLY MEDIA, …"),
    _variable("originate_disposition", "text", "originate_disposition", "how the dialling ended"),
    _variable("sip_call_id", "text", "sip_call_id", "the leg's SIP Call-ID"),
    _variable("sip_profile", "text", "sofia_profile_name", "the SIP profile"),
    _variable("domain", "text", "domain_name", "the domain"),
    _variable("accountcode", "text", "accountcode", "the account code"),
    _variable("read_codec", "text", "read_codec", "codec of what the switch received"),
    _variable("read_rate", "int", "read_rate", "its sampling rate in Hz"),
    _variable("write_codec", "text", "write_codec", "codec of what the switch sent"),
    _variable("write_rate", "int", "write_rate", "its sampling rate in Hz"),
    Column("network_addr", "text", None, "the peer's address for SIP"),
    _variable("remote_media_ip", "text", "remote_media_ip", "the peer's address for RTP"),
    _variable("user_agent", "text", "sip_user_agent", "the peer's SIP User-Agent"),
    _computed("audio_mos", "float", "1.0 to 4.5; null when no audio packet came"),
    _computed("audio_quality_percent", "float", "0 to 100; null when no audio packet came"),
    _computed("audio_loss_rate", "float", "received audio: the jitter buffer's loss rate"),
    _computed("audio_jitter_min_variance", "float", "received audio: least jitter variance"),
    _computed("audio_jitter_max_variance", "float", "received audio: greatest jitter variance"),
    _variable("audio_in_packets", "int", "rtp_audio_in_packet_count", "RTP packets received"),
    _variable("audio_out_packets", "int", "rtp_audio_out_packet_count", "RTP packets sent"),
    _variable("last_app", "text", "last_app", "the last dialplan application"),
    Column("last_arg", "text", None, "its argument, credentials removed"),
    _variable("queue", "text", "cc_queue", "the call-centre queue"),
    _variable("conference", "text", "conference_name", "the conference"),
    Column("recording_path", "text", None, "where the recording is"),
    Column("switch", "text", None, "the switch's name"),
    Column("core_uuid", "text", "Core-UUID", "the run of the switch: a new one at each start"),
    Column("received_at", "time", None, "when the sidecar first saw the record"),
    Column("source", "text", None, "the road it came by first: `esl`, `json` or `http`"),
    Column("variables", "map", None, "further channel variables that the settings list"),
)

COLUMN_NAMES = tuple(column.name for column in COLUMNS)

# Values that one or several derived columns are computed from, column-wise, when a part is written.
WORKING = {
    "progress_us": "variable_progress_uepoch",
    "progress_media_us": "variable_progress_media_uepoch",
    "term_status": "variable_sip_term_status",
    "failure_status": "variable_sip_invite_failure_status",
    "protocol_cause": "variable_proto_specific_hangup_cause",
    "mos": "variable_rtp_audio_in_mos",
    "quality": "variable_rtp_audio_in_quality_percentage",
    "loss_rate": "variable_rtp_audio_in_jitter_loss_rate",
    "jitter_min": "variable_rtp_audio_in_jitter_min_variance",
    "jitter_max": "variable_rtp_audio_in_jitter_max_variance",
}

BUILT = tuple(column.name for column in COLUMNS if column.raw is None)
"""What the record builder makes, in this order, before the copied values."""

COPIED = {column.name: column.raw for column in COLUMNS if column.raw} | WORKING
PAYLOAD = (*BUILT, *COPIED)


def arrow_schema() -> pa.Schema:
    """Return the Arrow schema of every part of the lake."""
    import pyarrow as pa

    kinds = {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "time": pa.timestamp("us", tz="UTC"),
        "bool": pa.bool_(),
        "map": pa.map_(pa.string(), pa.string()),
    }
    fields = [pa.field(column.name, kinds[column.kind]) for column in COLUMNS]
    return pa.schema(fields, metadata={VERSION_KEY: str(SCHEMA_VERSION).encode()})
