"""The JSON Schemas of what commands print about phones and calls (docs/json.md)."""

from __future__ import annotations

from typing import Any

from fsgitops.model.schema_parts import (
    TEXT,
    count,
    flag,
    list_of,
    maybe_text,
    objects,
    rows,
    text,
    word,
)

_UUID = text("A leg's uuid.", examples=["4c02599d-865c-42fd-9045-079b692658b0"])
_EXTENSION = text("The agent's extension.", examples=["1020"])
_FATE: dict[str, Any] = {
    "answered": flag("It was answered."),
    "cause": maybe_text("FreeSWITCH's name of why it ended; null: it is up, rings, or never was."),
    "uuid": maybe_text("The leg's uuid; null: not known."),
}
_PHONE = objects(
    user=text("The SIP user."),
    domain=text("Its domain."),
    contact=text("Where calls for it are sent."),
    user_agent=text("The phone's name for itself."),
    status=text("The switch's words."),
    expires={"type": "integer", "description": "Seconds from now."},
    network_ip=text("Where it registered from."),
    network_port={"type": "integer", "description": "Its port."},
    call_id=text("The registration's Call-ID."),
)
_VERTO = objects(
    user=text("The user."),
    domain=text("Its domain."),
    address=text("Where it is logged in from."),
    profile=text("The profile of mod_verto."),
)
_WEBRTC = objects(
    "The WebRTC options.",
    rtcpMuxPolicy=text("RTP and RTCP go through one port."),
    iceServers=rows("STUN servers.", urls=text("A STUN server.")),
)
SWITCH_OUTPUTS: dict[str, dict[str, Any]] = {
    "status": objects(
        summary=objects(
            "How many agents.",
            agents=count("All."),
            enabled=count("Enabled."),
            registered=count("With a registered phone."),
            on_call=count("In a call."),
            not_as_declared=count("The switch holds them differently."),
        ),
        agents=rows(
            "The agents.",
            extension=_EXTENSION,
            name=text("The agent's name."),
            enabled=flag("The agent is enabled."),
            registered=flag("A phone is registered."),
            phones=list_of(_PHONE, "The registered phones."),
            verto=list_of(_VERTO, "Sessions of mod_verto."),
            on_call=flag("The agent is in a call."),
            calls=list_of(TEXT, "The uuids of these calls."),
            memory={
                "enum": ["match", "differs", "missing", "left over", None],
                "description": "What the switch holds, against what is declared; null: not asked.",
            },
            differences=list_of(TEXT, "The names of what differs, never the values."),
        ),
        verto_not_declared=list_of(_VERTO, "Sessions of no enabled agent."),
    ),
    "registrations": objects(registrations=list_of(_PHONE, "Every registered phone.")),
    "calls": objects(
        calls=rows(
            "The longest first.",
            uuid=_UUID,
            direction=word("Where it came from.", "inbound", "outbound", "internal"),
            caller=text("Who calls."),
            caller_name=text("The caller's name."),
            callee=text("Who was called."),
            agent=maybe_text("The first of `agents`."),
            agents=list_of(TEXT, "The agents in it."),
            did=maybe_text("The declared number that was called."),
            state=text("FreeSWITCH's word."),
            age=count("Seconds."),
            legs=rows(
                "Its legs, the first one first.",
                uuid=_UUID,
                direction=text("As the switch sees the leg."),
                agent=maybe_text("The agent whose phone it is; null: nobody's."),
                number=text("Its number."),
                state=text("FreeSWITCH's word."),
                read_codec=text("The codec it hears."),
                write_codec=text("The codec it is sent."),
                network_ip=text("Its address."),
                age=count("Seconds."),
            ),
        )
    ),
    "dial": objects(
        uuid=maybe_text("The call's; null: several phones ring."),
        state=word(
            "How far it is; answered: by the agent.", "ringing", "answered", "connected", "failed"
        ),
        extension=_EXTENSION,
        number=text("Who is called."),
        caller_id_number=text("The number shown."),
        caller_id_name=text("The name shown."),
        gateway=maybe_text("The gateway; null: an extension is called."),
        timeout=count("Seconds that the phone may ring."),
        legs={
            "description": "What became of both legs; null: without --wait.",
            "anyOf": [
                {"type": "null"},
                objects(
                    agent=objects("The agent's leg.", **_FATE),
                    destination=objects(
                        "The leg of whom was called.", called=flag("It was called."), **_FATE
                    ),
                ),
            ],
        },
    ),
    "hangup": objects(uuid=_UUID),
    "transfer": objects(
        uuid=_UUID,
        destination=text("Where it was sent."),
        other_leg=flag("The leg that it is connected to was sent."),
    ),
    "kick": objects(extension=_EXTENSION, ended=list_of(_PHONE, "What was ended.")),
    "credentials": objects(
        username=_EXTENSION,
        password=text("(hidden) without --reveal."),
        domain=text("The SIP domain."),
        voicemail_pin=maybe_text("(hidden) without --reveal; null: no voicemail."),
        sip_server=text("Host."),
        sip_port=count("Port."),
        sip_transport=word("How.", "udp", "tcp", "tls"),
        websocket_url=maybe_text("For browsers; null: not a WebRTC agent."),
        stun_server=maybe_text("null: none."),
        jssip=objects(
            "The options of JsSIP.",
            sockets=list_of(TEXT, "WebSocket URLs."),
            uri=text("The SIP URI."),
            password=text("(hidden) without --reveal."),
            register=flag("Register at once."),
            pcConfig=_WEBRTC,
        ),
        sipjs=objects(
            "The options of SIP.js.",
            uri=text("The SIP URI."),
            transportOptions=objects("The transport.", server=text("A WebSocket URL.")),
            authorizationUsername=text("The user."),
            authorizationPassword=text("(hidden) without --reveal."),
            sessionDescriptionHandlerFactoryOptions=objects(
                "Media.", peerConnectionConfiguration=_WEBRTC
            ),
        ),
    ),
}
"""The format\'s name without `fsgitops-`, and what it holds beside `format` and `version`."""
