"""A roll-back keeps to the limits, the permissions and the protection of any other plan."""

from __future__ import annotations

from project import Project


def declare(project: Project, count: int, more: str = "") -> None:
    lines = [f"  - {{extension: {1000 + n}, name: Agent {n}{more}}}" for n in range(count)]
    project.write("desired/agents.yaml", "\n".join(["agents:", *lines, ""]))


def test_a_roll_back_of_too_much_needs_the_permission(project: Project) -> None:
    (project.root / "desired/routes.yaml").unlink()
    declare(project, 5)
    project.prepare("apply", "--yes")
    declare(project, 20)
    project.run("apply", "--yes")
    refused = project.run("rollback", "--yes")
    assert (refused.code, "--allow deletes" in refused.err) == (4, True)
    assert project.run("rollback", "--yes", "--allow", "deletes").code == 0


def test_a_roll_back_does_not_delete_what_is_protected(project: Project) -> None:
    project.prepare("apply", "--yes")
    declare(project, 3, ", protect: true")
    project.write("desired/more.yaml", "agents:\n  - {extension: 1020, name: Alice}\n")
    project.run("apply", "--yes", "--allow", "updates")
    ran = project.run("rollback", "--yes", "--allow", "deletes")
    assert (ran.code, "is protected" in ran.err) == (4, True)
