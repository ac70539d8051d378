"""The folders of a conf directory that fsgitops writes to, and the dialplan context of each."""

from __future__ import annotations

from typing import Final, NamedTuple


class Places(NamedTuple):
    """Where the files of a target lie, below its conf directory, and in which contexts.

    Attributes:
        directory: Where each agent's user has a file: included in <users> of the domain.
        groups: Where files of hundreds of agents lie, each a group: included in its <groups>.
        dialplan: Where agents and what they dial have files: included in `context`.
        context: Where calls go that ring agents, and where agents dial who declare no other.
        inbound: Where public numbers have files: included in `inbound_context`.
        inbound_context: Where calls from outside begin.
        contexts: Where files lie that hold a whole context: included in the dialplan section.
        prefix: Begins the names of the files in `dialplan` and `inbound`, for their order.
        tenant: Sets the names of our contexts apart from those of another domain's target: a
            switch has one context of a name. "" for the one that has them as they are.
    """

    directory: str = "directory/default"
    groups: str = "directory/fsgitops"
    dialplan: str = "dialplan/default"
    context: str = "default"
    inbound: str = "dialplan/public"
    inbound_context: str = "public"
    contexts: str = "dialplan"
    prefix: str = ""
    tenant: str = ""

    @property
    def transfers(self) -> str:
        """The context that calls go to which somebody moves."""
        return f"fsgitops_transfer_{self.tenant}" if self.tenant else "fsgitops_transfer"

    @property
    def dids(self) -> str:
        """What begins the name of a context of numbers, which ends with digits they share."""
        return f"fsgitops_dids_{self.tenant}_" if self.tenant else "fsgitops_dids_"

    def context_of(self, path: str) -> str:
        """Return the context that a dialplan file is of: a folder of nobody's is named after it."""
        folder, _, name = path.rpartition("/")
        if folder == self.dialplan:
            return self.context
        if folder == self.inbound:
            return self.inbound_context
        if self.is_context(path):
            return name.removesuffix(".xml")
        return folder.rpartition("/")[2]

    def is_context(self, path: str) -> bool:
        """Tell whether a dialplan file holds a whole context, which it is named after."""
        folder = path.rpartition("/")[0]
        ours = folder in (self.dialplan, self.inbound)
        return folder == self.contexts or (folder == "dialplan" and not ours)

    def folder_of(self, context: str) -> str:
        """Return the folder of a context's extensions."""
        known = {self.context: self.dialplan, self.inbound_context: self.inbound}
        return known.get(context, f"dialplan/{context}")


USUAL_PLACES: Final = Places()
"""Those of the stock configuration."""
