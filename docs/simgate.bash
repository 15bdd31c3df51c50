# bash completion for simgate(1). The command itself knows what may follow: there is one table of commands, for its
# parser, its help and this.
_simgate()
{
    local IFS=$'\n'
    COMPREPLY=($("${COMP_WORDS[0]}" complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null))
}
complete -o default -F _simgate simgate
