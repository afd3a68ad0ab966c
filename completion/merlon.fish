# fish completion for merlon

function __merlon_verb
    set -l words (commandline -opc)
    set -e words[1]
    string match -q -- "$argv*" "$words"
end

complete -c merlon -n '__fish_is_nth_token 1' -f -a detect -d 'judge logs by Sigma rules'
complete -c merlon -n '__fish_is_nth_token 1' -f -a sources -d 'say what logs are'
complete -c merlon -n '__fish_is_nth_token 1' -f -a rules -d 'check, explain, install and list rules'
complete -c merlon -n '__fish_is_nth_token 1' -f -a version -d 'print the version'
complete -c merlon -n '__fish_is_nth_token 1' -f -a help -d 'help'
complete -c merlon -n '__merlon_verb rules; and __fish_is_nth_token 2' -f -a add -d 'install a pack of rules'
complete -c merlon -n '__merlon_verb rules; and __fish_is_nth_token 2' -f -a diff -d 'what changed between two states'
complete -c merlon -n '__merlon_verb rules; and __fish_is_nth_token 2' -f -a packs -d 'list installed packs'
complete -c merlon -n '__merlon_verb rules; and __fish_is_nth_token 2' -f -a remove -d 'remove packs'
complete -c merlon -n '__merlon_verb rules; and __fish_is_nth_token 2' -f -a test -d 'run the tests beside rules'
complete -c merlon -n '__merlon_verb rules; and __fish_is_nth_token 2' -f -a update -d 'read packs from their source again'
complete -c merlon -n '__merlon_verb rules; and __fish_is_nth_token 2' -f -a check -d 'say of each rule whether it loads'
complete -c merlon -n '__merlon_verb rules; and __fish_is_nth_token 2' -f -a explain -d 'which parts of a rule hold for an event'
complete -c merlon -n '__merlon_verb rules; and __fish_is_nth_token 2' -f -a list -d 'list the rules'
complete -c merlon -n '__merlon_verb help' -f -a 'detect sources rules version help'
complete -c merlon -l help -d 'help'

complete -c merlon -n '__merlon_verb detect' -s r -l rules -r -F -d 'rules: a file or a directory'
complete -c merlon -n '__merlon_verb detect' -s o -l output -x -a 'table json csv summary' -d 'how to write'
complete -c merlon -n '__merlon_verb detect' -l format -x -a 'access apache-error auditd aws-access bind csv evtx iis journal json nginx-error squid syslog unbound vpcflow w3c windows-dns zeek' -d 'take the inputs for'
complete -c merlon -n '__merlon_verb detect' -l level -x -a 'informational low medium high critical' -d 'rules of this level and above'
complete -c merlon -n '__merlon_verb detect' -l exclude-rule -x -d 'leave out a rule: id, file or title'
complete -c merlon -n '__merlon_verb detect' -l from -x -d 'events of this time and later'
complete -c merlon -n '__merlon_verb detect' -l zone -x -d 'zone of times without one'
complete -c merlon -n '__merlon_verb detect' -l year -x -d 'year of times without one'
complete -c merlon -n '__merlon_verb detect' -l to -x -d 'events before this time'
complete -c merlon -n '__merlon_verb detect' -l any-source -d 'judge every event by every rule'
complete -c merlon -n '__merlon_verb detect' -l data -x -a '(__fish_complete_directories)' -d 'where packs are kept'
complete -c merlon -n '__merlon_verb detect' -l fire -x -a 'once every' -d 'findings of correlations'
complete -c merlon -n '__merlon_verb detect' -l state-limit -x -d 'memory for the state of correlations'
complete -c merlon -n '__merlon_verb detect' -l placeholders -r -F -d 'values of placeholders'
complete -c merlon -n '__merlon_verb detect' -l taxonomy -r -F -d 'further logsources and fields'
complete -c merlon -n '__merlon_verb detect' -l max-record -x -d 'reject longer records'
complete -c merlon -n '__merlon_verb detect' -s j -l jobs -x -d 'threads that judge'
complete -c merlon -n '__merlon_verb detect' -l html -r -F -d 'also a report as one page'
complete -c merlon -n '__merlon_verb detect' -s q -l quiet -d 'no progress and no summary'

complete -c merlon -n '__merlon_verb sources' -s r -l rules -r -F -d 'say how many of these rules can fire'
complete -c merlon -n '__merlon_verb sources' -s o -l output -x -a 'table json' -d 'how to write'
complete -c merlon -n '__merlon_verb sources' -l fields -x -d 'fields in the table'
complete -c merlon -n '__merlon_verb sources' -l format -x -a 'access apache-error auditd aws-access bind csv evtx iis journal json nginx-error squid syslog unbound vpcflow w3c windows-dns zeek' -d 'take the inputs for'
complete -c merlon -n '__merlon_verb sources' -l zone -x -d 'zone of times without one'
complete -c merlon -n '__merlon_verb sources' -l year -x -d 'year of times without one'
complete -c merlon -n '__merlon_verb sources' -l placeholders -r -F -d 'values of placeholders'
complete -c merlon -n '__merlon_verb sources' -l taxonomy -r -F -d 'further logsources and fields'
complete -c merlon -n '__merlon_verb sources' -l max-record -x -d 'reject longer records'
complete -c merlon -n '__merlon_verb sources' -s q -l quiet -d 'leave out files of no known format'

complete -c merlon -n '__merlon_verb rules check' -l against -r -F -d 'logs that the rules should fire on'
complete -c merlon -n '__merlon_verb rules check' -l format -x -a 'access apache-error auditd aws-access bind csv evtx iis journal json nginx-error squid syslog unbound vpcflow w3c windows-dns zeek' -d 'take the logs for'
complete -c merlon -n '__merlon_verb rules check' -l zone -x -d 'zone of times without one'
complete -c merlon -n '__merlon_verb rules check' -l year -x -d 'year of times without one'
complete -c merlon -n '__merlon_verb rules check' -s o -l output -x -a 'table json' -d 'how to write'
complete -c merlon -n '__merlon_verb rules check' -l data -x -a '(__fish_complete_directories)' -d 'where packs are kept'
complete -c merlon -n '__merlon_verb rules check' -l placeholders -r -F -d 'values of placeholders'
complete -c merlon -n '__merlon_verb rules check' -l taxonomy -r -F -d 'further logsources and fields'
complete -c merlon -n '__merlon_verb rules check' -s q -l quiet -d 'only rules that are not loaded'

complete -c merlon -n '__merlon_verb rules explain' -l record -x -d 'number of the event in its file'
complete -c merlon -n '__merlon_verb rules explain' -l format -x -a 'access apache-error auditd aws-access bind csv evtx iis journal json nginx-error squid syslog unbound vpcflow w3c windows-dns zeek' -d 'take the file for'
complete -c merlon -n '__merlon_verb rules explain' -l any-source -d 'by the rule alone'
complete -c merlon -n '__merlon_verb rules explain' -l placeholders -r -F -d 'values of placeholders'
complete -c merlon -n '__merlon_verb rules explain' -l taxonomy -r -F -d 'further logsources and fields'

complete -c merlon -n '__merlon_verb rules list' -s o -l output -x -a 'table json' -d 'how to write'
complete -c merlon -n '__merlon_verb rules list' -l level -x -a 'informational low medium high critical' -d 'rules of this level and above'
complete -c merlon -n '__merlon_verb rules list' -l data -x -a '(__fish_complete_directories)' -d 'where packs are kept'
complete -c merlon -n '__merlon_verb rules list' -l placeholders -r -F -d 'values of placeholders'

complete -c merlon -n '__merlon_verb rules add' -l name -x -d 'name of the pack'
complete -c merlon -n '__merlon_verb rules add' -l data -x -a '(__fish_complete_directories)' -d 'where packs are kept'

complete -c merlon -n '__merlon_verb rules diff' -s o -l output -x -a 'table json' -d 'how to write'
complete -c merlon -n '__merlon_verb rules diff' -l data -x -a '(__fish_complete_directories)' -d 'where packs are kept'

complete -c merlon -n '__merlon_verb rules packs' -s o -l output -x -a 'table json' -d 'how to write'
complete -c merlon -n '__merlon_verb rules packs' -l data -x -a '(__fish_complete_directories)' -d 'where packs are kept'

complete -c merlon -n '__merlon_verb rules remove' -l data -x -a '(__fish_complete_directories)' -d 'where packs are kept'

complete -c merlon -n '__merlon_verb rules update' -l from -r -F -d 'take it from here'
complete -c merlon -n '__merlon_verb rules update' -s n -l dry-run -d 'only show what would change'
complete -c merlon -n '__merlon_verb rules update' -l data -x -a '(__fish_complete_directories)' -d 'where packs are kept'

complete -c merlon -n '__merlon_verb rules test' -s o -l output -x -a 'table json' -d 'how to write'
complete -c merlon -n '__merlon_verb rules test' -l placeholders -r -F -d 'values of placeholders'
complete -c merlon -n '__merlon_verb rules test' -l taxonomy -r -F -d 'further logsources and fields'
complete -c merlon -n '__merlon_verb rules test' -l untested -d 'rules without tests fail too'
complete -c merlon -n '__merlon_verb rules test' -s q -l quiet -d 'only what failed'
