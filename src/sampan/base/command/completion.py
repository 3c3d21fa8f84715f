"""Shell completion: short scripts that ask the program itself, as cobra's do, by the hidden command `__complete`."""

from __future__ import annotations

from collections.abc import Sequence

from sampan.base.command.model import Command
from sampan.base.command.parse import available

_BASH = """\
# bash completion for {name}
_{ident}_complete() {{
    local words=("${{COMP_WORDS[@]:1:COMP_CWORD}}") reply
    reply=$("${{COMP_WORDS[0]}}" __complete "${{words[@]}}" 2>/dev/null) || return
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "$(cut -f1 <<<"$reply" | grep -v '^:')" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _{ident}_complete {name}
"""
_ZSH = """\
#compdef {name}
_{ident}() {{
    local -a lines
    lines=("${{(@f)$({name} __complete "${{(@)words[2,CURRENT]}}" 2>/dev/null)}}")
    local -a shown
    for line in $lines; do
        [[ $line == :* ]] || shown+=("${{line/$'\\t'/:}}")
    done
    _describe '{name}' shown
}}
compdef _{ident} {name}
"""
_FISH = """\
# fish completion for {name}
function __{ident}_complete
    set -l words (commandline -opc) (commandline -ct)
    {name} __complete $words[2..-1] 2>/dev/null | string match -v ':*'
end
complete -c {name} -f -a '(__{ident}_complete)'
"""

SHELLS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(shell: str, name: str) -> str:
    """The script that `NAME completion SHELL` prints. Raises KeyError for an unknown shell."""
    return SHELLS[shell].format(name=name, ident=name.replace("-", "_"))


def candidates(root: Command, words: Sequence[str]) -> list[tuple[str, str]]:
    """(word, description) pairs that may stand for the last word of `words`."""
    path = [root]
    *before, last = words or [""]
    wants_value = None
    for word in before:
        if wants_value is not None:
            wants_value = None
            continue
        if word.startswith("-"):
            flag = available(path).get(word.lstrip("-"))
            if flag and flag.kind not in ("bool", "optional") and "=" not in word:
                wants_value = flag
        elif child := path[-1].find(word):
            path.append(child)
    if wants_value is not None:
        return [(choice, "") for choice in wants_value.choices if choice.startswith(last)]
    if last.startswith("-"):
        flags = available(path).values()
        found = [(f"--{f.name}", f.help.split("\n")[0]) for f in flags if not f.hidden]
        return sorted(pair for pair in found if pair[0].startswith(last))
    commands = [c for c in path[-1].commands if not c.hidden and c.name.startswith(last)]
    return sorted((c.name, c.short) for c in commands)
