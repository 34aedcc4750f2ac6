// What is to be completed is known by `lb __complete`, for all shells alike: these only ask it, and show what it says. Each of its lines is
// a word and, behind a tab, what it means; `:files` and `:directories` leave it to the shell.

export const shellNames = ["bash", "zsh", "fish"] as const;
export type ShellName = (typeof shellNames)[number];

const bash = `# bash completion for lb
_lb() {
  local line cur=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default -o bashdefault ;;
      :directories) compopt -o dirnames ;;
      *) COMPREPLY+=("$(printf '%q' "\${line%%$'\\t'*}")") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _lb lb
`;

const zsh = `#compdef lb
_lb() {
  local -a lines candidates
  local line word
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${lines[@]}"; do
    case $line in
      :files) _files ;;
      :directories) _files -/ ;;
      ?*) word=\${line%%$'\\t'*}; candidates+=("\${word//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  if (( \${#candidates} )); then _describe -t commands lb candidates; fi
}
if [[ $funcstack[1] = _lb ]]; then _lb "$@"; else compdef _lb lb; fi
`;

const fish = `# fish completion for lb
function __lb_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    switch $line
      case :files
        __fish_complete_path (commandline -ct)
      case :directories
        __fish_complete_directories (commandline -ct)
      case '*'
        echo $line
    end
  end
end
complete -c lb -f -a '(__lb_complete)'
`;

export const completionScripts: Readonly<Record<ShellName, string>> = { bash, zsh, fish };
