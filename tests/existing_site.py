"""An existing site in the sandbox's conf directory, and what somebody has written there by hand."""

from __future__ import annotations

from project import Project

CATCH_ALL = """\
<extension name="{name}">
  <condition field="destination_number" expression="^(.*)$">
    <action application="{application}"/>
  </condition>
</extension>
"""
INBOUND = '<param name="context" value="public"/>'


def existing_site(project: Project) -> Project:
    """The example project, with the sandbox's conf directory as an existing site."""
    project.prepare("plan")
    return project


def edit(site: Project, path: str, old: str, new: str) -> None:
    file = site.conf / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def put(site: Project, path: str, text: str) -> None:
    (site.conf / path).parent.mkdir(parents=True, exist_ok=True)
    (site.conf / path).write_text(text)


def carrier(site: Project) -> None:
    """Let calls from outside begin in the context `from-carrier`, and not in `public`."""
    for name in ("internal", "external"):
        edit(site, f"sip_profiles/{name}.xml", INBOUND, INBOUND.replace("public", "from-carrier"))
    text = '<context name="from-carrier">\n<extension name="n">\n</extension>\n</context>\n'
    put(site, "dialplan/from_carrier.xml", text)
