#!/bin/sh
# Ends with an error when one of the named variables is missing, too short, or has characters that cannot
# stand in an address:   check-secrets.sh NAME...
set -eu
status=0
refuse() {
    echo "$1: correct secrets.env, or make a new one with deploy/k8s/make-secrets." >&2
    status=1
}
for name in "$@"; do
    case $name in
    ROLLCALL_ADMIN_PASSWORD) least=10 ;;
    ROLLCALL_API_MONITOR_KEY) least=24 ;;
    *) least=16 ;;
    esac
    eval "value=\${$name:-}"
    case $value in
    *[!A-Za-z0-9_-]*) refuse "$name has other characters than letters and digits" ;;
    esac
    [ "${#value}" -ge "$least" ] || refuse "$name is missing or has fewer than $least characters"
done
exit $status
