# bash completion for merlon

_merlon() {
    local cur prev verb options
    COMPREPLY=()
    cur=${COMP_WORDS[COMP_CWORD]}
    prev=${COMP_WORDS[COMP_CWORD - 1]}
    verb=${COMP_WORDS[1]:-}
    if [[ "$verb" == @(archive|log|rules|token) ]] && [ "$COMP_CWORD" -gt 2 ]; then
        verb="$verb ${COMP_WORDS[2]}"
    elif [ "$verb" = hunt ] && [ "$COMP_CWORD" -gt 2 ] && [ "${COMP_WORDS[2]}" = book ]; then
        verb='hunt book'
    fi
    if [ "$COMP_CWORD" = 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'archive config detect doctor findings hunt log replay serve sources status tail rules token version help' -- "$cur")
        return
    fi
    if [ "$COMP_CWORD" = 2 ] && [ "$verb" = config ]; then
        mapfile -t COMPREPLY < <(compgen -W 'check' -- "$cur")
        return
    fi
    if [ "$COMP_CWORD" = 2 ] && [ "$verb" = hunt ] && [[ $cur == b* ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'book' -- "$cur")
        return
    fi
    if [ "$COMP_CWORD" = 2 ] && [ "$verb" = archive ]; then
        mapfile -t COMPREPLY < <(compgen -W 'add cat list verify' -- "$cur")
        return
    fi
    if [ "$COMP_CWORD" = 2 ] && [ "$verb" = rules ]; then
        mapfile -t COMPREPLY < <(compgen -W 'add backtest check diff explain list packs remove test update' -- "$cur")
        return
    fi
    if [ "$COMP_CWORD" = 2 ] && [ "$verb" = log ]; then
        mapfile -t COMPREPLY < <(compgen -W 'cat verify' -- "$cur")
        return
    fi
    if [ "$COMP_CWORD" = 2 ] && [ "$verb" = token ]; then
        mapfile -t COMPREPLY < <(compgen -W 'add list revoke' -- "$cur")
        return
    fi
    case "$verb $prev" in
    'detect -o' | 'detect --output')
        mapfile -t COMPREPLY < <(compgen -W 'table json csv summary' -- "$cur")
        return
        ;;
    'hunt book -o' | 'hunt book --output')
        mapfile -t COMPREPLY < <(compgen -W 'markdown json' -- "$cur")
        return
        ;;
    'hunt -o' | 'hunt --output' | 'rules backtest -o' | 'rules backtest --output')
        mapfile -t COMPREPLY < <(compgen -W 'table json csv' -- "$cur")
        return
        ;;
    'log cat -o' | 'log cat --output')
        mapfile -t COMPREPLY < <(compgen -W 'raw json' -- "$cur")
        return
        ;;
    *' -o' | *' --output')
        mapfile -t COMPREPLY < <(compgen -W 'table json' -- "$cur")
        return
        ;;
    *' --fire')
        mapfile -t COMPREPLY < <(compgen -W 'once every' -- "$cur")
        return
        ;;
    *' --role')
        mapfile -t COMPREPLY < <(compgen -W 'ingest reader analyst admin' -- "$cur")
        return
        ;;
    *' --level')
        mapfile -t COMPREPLY < <(compgen -W 'informational low medium high critical' -- "$cur")
        return
        ;;
    *' --format')
        mapfile -t COMPREPLY < <(compgen -W 'access apache-error auditd aws-access bind csv evtx iis journal json nginx-error squid syslog unbound vpcflow w3c windows-dns zeek' -- "$cur")
        return
        ;;
    'detect --from' | 'hunt --from' | 'hunt book --from' | *' --rows' | 'log cat --from' | *' --to' | *' --zone' | *' --year' | *' --max-record' | *' -j' | *' --jobs' | *' --record' | \
        *' --fields' | *' --days' | *' --name' | *' --after' | *' --tenant' | *' --source' | *' --grep' | *' --last' | *' --state-limit' | *' --input' | *' --expires')
        return
        ;;
    esac
    case $verb in
    detect) options='--rules --output --format --level --exclude-rule --from --to --zone --year
        --any-source --fire --state-limit --placeholders --taxonomy --data --max-record --jobs
        --quiet --html --help' ;;
    findings) options='--data --after --tenant --count --help' ;;
    hunt) options='--rule --near --ioc --config --output --format --zone --year --taxonomy --state-limit --max-record --quiet
        --archive --data --tenant --from --to --help' ;;
    'hunt book') options='--check --write --rows --output --format --zone --year --taxonomy --state-limit --max-record
        --archive --data --tenant --from --to --help' ;;
    doctor) options='--config --data --token --help' ;;
    status) options='--output --rules --tenant --data --url --token --help' ;;
    tail) options='--last --tenant --source --grep --findings --level --output --data --url --token --help' ;;
    replay) options='--config --data --from --to --rules --help' ;;
    serve) options='--config --data --rules --help' ;;
    'rules check') options='--against --output --format --zone --year --placeholders --taxonomy --data --quiet --help' ;;
    sources) options='--rules --output --fields --format --zone --year --placeholders --taxonomy --max-record
        --quiet --help' ;;
    'rules backtest') options='--days --config --output --state-limit --quiet --format --zone --year
        --taxonomy --max-record --archive --data --tenant --from --to --help' ;;
    'rules explain') options='--record --format --any-source --placeholders --taxonomy --help' ;;
    'rules list') options='--output --level --placeholders --data --help' ;;
    'rules add') options='--name --data --help' ;;
    'rules diff' | 'rules packs') options='--output --data --help' ;;
    'rules remove') options='--data --help' ;;
    'rules test') options='--output --placeholders --taxonomy --untested --quiet --help' ;;
    'rules update') options='--from --dry-run --data --help' ;;
    'archive add') options='--tenant --format --taxonomy --quiet --data --help' ;;
    'archive cat') options='--tenant --data --help' ;;
    'archive list' | 'archive verify') options='--tenant --output --data --help' ;;
    'log cat') options='--from --to --tenant --rejected --reason --source --output --data --help' ;;
    'log verify') options='--output --data --help' ;;
    'token add') options='--name --tenant --role --input --expires --data --help' ;;
    'token list') options='--output --data --help' ;;
    'token revoke') options='--data --help' ;;
    help) options='archive config detect doctor findings hunt log replay serve sources status tail rules token version help' ;;
    *) options='' ;;
    esac
    if [[ $cur == -* || $verb == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    else
        compopt -o filenames 2> /dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}

complete -F _merlon merlon
