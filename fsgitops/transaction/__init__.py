"""All or nothing on a directory, and the one way into the state directory."""
