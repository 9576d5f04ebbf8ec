#!/bin/sh
# Starts Prometheus with the key that Rollcall's metrics ask for in a file, since its configuration reads no
# environment.
set -eu
(umask 077 && printf %s "$ROLLCALL_API_MONITOR_KEY" >/prometheus/monitor-key)
exec /bin/prometheus "$@"
