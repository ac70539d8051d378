"""Agents, and what they are compiled to, for the tests of the compiler."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from builders import desired, unchecked

from fsgitops.homes.pieces import list_records
from fsgitops.kinds import BUILT_IN
from fsgitops.model.draft import Templates
from fsgitops.model.kind import Site
from fsgitops.model.live import ManifestEntry
from fsgitops.secret.key import ProjectKey
from fsgitops.steps.compile import compile_config
from fsgitops.steps.read_templates import packaged_templates, read_templates
from fsgitops.workspace.secrets import Keys, Moved, SecretBook

KEY = ProjectKey(bytes(range(32)))
DOMAIN = "pbx.example.com"
GOLDEN = Path(__file__).resolve().parent / "golden" / "compile"
PACKAGED, _ = read_templates(None)
PATH = "directory/default/1020.xml"
AGENT = (packaged_templates() / "agent.xml.j2").read_text()
ROUTE = (packaged_templates() / "did_route.xml.j2").read_text()
DIALPLAN = "dialplan/default/10_fsgitops_agents.xml"


def with_templates(**changed):
    sources = dict(PACKAGED.sources)
    for name, text in changed.items():
        sources[f"{name}.xml.j2"] = text
    return Templates(sources)


def agent(**fields):
    """An agent as its checks would refuse it too: what is compiled here must defend itself."""
    return unchecked("agent", **{"extension": "1020", "name": "Ada", **fields})


def compiled(*agents, routes=(), sources=(), **more):
    return compile_desired(desired(*agents, *routes, sources=dict(sources)), **more)


def compile_desired(
    declared, *, key=KEY, templates=PACKAGED, domain=DOMAIN, settled=None, kinds=BUILT_IN, **site
):
    book = SecretBook(Keys(key), domain, Moved(None), {}, declared.sources, None)
    return compile_config(
        kinds, declared, Site(domain=domain, templates=templates, **site), book, settled or {}
    )


def settle(config):
    """What a manifest knows of the files once they are applied."""
    return {
        path: ManifestEntry(file.sha256, list_records(file)) for path, file in config.files.items()
    }


def one_user(*agents, **more):
    config, findings = compiled(*agents, **more)
    assert findings == []
    return ElementTree.fromstring(config.files[PATH].content).find("user")


def values(user, box, tag):
    return {item.get("name"): item.get("value") for item in user.find(box).findall(tag)}
