"""An event socket session: bytes to frames, frames to replies and events, every wait bounded."""
