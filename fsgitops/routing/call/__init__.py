"""A call through the dialplan, evaluated as FreeSWITCH does it."""
