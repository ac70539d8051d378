"""The script with which a shell asks for the words that complete a command line."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")

# bash takes `agent:10` and `--target=prod` apart at the characters of COMP_WORDBREAKS, and replaces
# only the last piece. The pieces are joined here as they stand in the line, and what stands before
# the last one is taken off the answers again.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n'
    local rest=$COMP_LINE before word last prefix type value response i
    local words=() count=-1

    for ((i = 0; i <= COMP_CWORD; i++)); do
        before=$rest
        rest=${rest#"${rest%%%%[![:space:]]*}"}
        if [[ $i == 0 || $rest != "$before" ]]; then
            ((++count))
            words[count]=
        fi
        last=${COMP_WORDS[i]}
        words[count]+=$last
        rest=${rest#"$last"}
    done
    word=${words[count]}
    prefix=${word%%"$last"}
    [[ $last == [:=]* ]] && prefix=$word
    [[ $word == --*=* ]] && prefix=${prefix#"${word%%%%=*}="}

    response=$(env COMP_WORDS="${words[*]}" COMP_CWORD=$count %(complete_var)s=bash_complete "$1")

    for completion in $response; do
        IFS=',' read type value <<< "$completion"

        if [[ $type == 'dir' ]]; then
            COMPREPLY=()
            compopt -o dirnames
        elif [[ $type == 'file' ]]; then
            COMPREPLY=()
            compopt -o default
        elif [[ $type == 'plain' ]]; then
            COMPREPLY+=("${value#"$prefix"}")
        fi
    done

    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


def print_script(program: str, shell: str) -> None:
    """Print what a shell has to read to complete a program's command line."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    if shell == "bash":
        found = type("Bash", (found,), {"source_template": _BASH})
    click.echo(found(click.Command(program), {}, program, variable).source())
