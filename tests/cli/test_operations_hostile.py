"""Whatever stands on the command line, no word reaches the switch as more than itself."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project import Project

HOSTILE = st.text(
    st.one_of(st.sampled_from("\n\r ,'\"\\{}[]()&|^$%@/=+1023"), st.characters(codec="utf-8")),
    min_size=1,
    max_size=24,
).filter(lambda text: not text.startswith("-"))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(words=st.tuples(HOSTILE, HOSTILE))
def test_no_word_on_the_command_line_reaches_the_switch_as_more_than_itself(
    project: Project, words: tuple[str, str]
) -> None:
    from fsgitops.commands import dial as module
    from fsgitops.commands.dial import Transfer, plan_transfer
    from fsgitops.errors import FsgitopsError
    from fsgitops.live.roster import load_roster
    from fsgitops.switch.calls import originate_command, transfer_command
    from fsgitops.workspace.open import open_workspace

    place = open_workspace(project.root)
    roster = load_roster(place)
    for asked in (
        module.Asked(words[0], "+18005551234"),
        module.Asked("1020", words[0]),
        module.Asked("1020", "+18005551234", words[1]),
    ):
        try:
            dial = module.plan_dial(roster, place, asked)
        except FsgitopsError:
            continue
        assert not set(originate_command(dial)) & set('\n\r"\\$|[]^')
        assert dial.extension == "1020"
    try:
        onward = plan_transfer(roster, place, Transfer("u", words[0]))
    except FsgitopsError:
        return
    assert not set(transfer_command("u", onward)) & set("\n\r\"'\\$|[]^,&()")
