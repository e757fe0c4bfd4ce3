# What the hooks of azd share: how they say things. POSIX sh; common.ps1 is its twin.
# shellcheck shell=sh
# The hooks read these, besides what azd itself sets (AZURE_ENV_NAME, AZURE_LOCATION, …):
#   SKIP_CHECKS    names of checks that do not fit here, separated by blanks
#   PATIENCE_S     how long the app may take to answer, in seconds (300)
#   PAUSE_S        between two looks at it (5)

failures=0

say() { printf '%s\n' "$*"; }

# ok|not_ok|skipped|note NAME TEXT [HOW TO MEND IT]
ok() { printf 'ok       %s: %s\n' "$1" "$2"; }
note() { printf 'note     %s: %s%s\n' "$1" "$2" "${3:+ → $3}"; }
skipped() { printf 'skipped  %s: %s\n' "$1" "$2"; }
not_ok() {
    printf 'not ok   %s: %s → %s\n' "$1" "$2" "$3" >&2
    failures=$((failures + 1))
}

# wanted NAME: whether this check is to be made here.
wanted() {
    case " ${SKIP_CHECKS:-} " in
    *" $1 "*)
        skipped "$1" "as SKIP_CHECKS says"
        return 1
        ;;
    esac
}

# lines TEXT: the text without the carriage returns and blank ends that az writes on Windows.
lines() { printf '%s\n' "$1" | tr -d '\r' | sed 's/[[:space:]]*$//'; }

# counted: end with status 1 where something was not ok.
end() {
    [ "$failures" -eq 0 ] || {
        say "$failures not ok. Mend it and run this again; a check that is wrong here is left out by: azd env set SKIP_CHECKS \"<names>\"" >&2
        exit 1
    }
}
