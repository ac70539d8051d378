"""What completes the parameters of `fsgitops`, by what they mean."""

from __future__ import annotations

from fsgitops.console.complete import words_from

TARGET = words_from("targets")
EXTENSION = words_from("extensions")
EXTENSIONS = words_from("extension_list")
GROUPS = words_from("groups")
DID = words_from("dids")
NUMBER = words_from("numbers")
RESOURCE = words_from("resources")
MANAGED = words_from("managed")
DECLARED_FILE = words_from("declared_files")
LIVE_FILE = words_from("live_files")
REVISION = words_from("revisions")
COMMIT = words_from("commits")
NAME = words_from("names")
TOKEN = words_from("tokens")
