# Sourced by the setup, start and stop scripts beside it, which run with set -euo pipefail.
# A server's folder DIR gets: pid (the number alone, fit for kill -9), port, env, log and its data.

die() {
  printf '%s: %s\n' "$0" "$*" >&2
  exit 1
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root and there is no sudo: $*"
  fi
}

# enter DIR creates DIR and prints its absolute path.
enter() {
  [[ -n ${1:-} ]] || die "usage: ${0##*/} DIR"
  mkdir -p "$1"
  realpath "$1"
}

# setting FILE DEFAULT prints the value kept in FILE; the first start writes DEFAULT there, so that a restart without the
# switch keeps the mode in which the data was made.
setting() {
  [[ -e $1 ]] || (umask 077 && echo "$2" >"$1")
  cat "$1"
}

# port FILE prints the port kept in FILE and chooses a free one the first time. It lies below the range from which the
# kernel serves outgoing connections: a client that connects in a loop while the server is down would otherwise be given
# the server's own port one day, and the restart would fail.
port() {
  local p
  while [[ ! -s $1 ]]; do
    p=$((20000 + RANDOM % 12000))
    # A connection that is refused says that nobody listens there.
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || echo "$p" >"$1"
  done
  cat "$1"
}

# started PID prints when a live process started, in clock ticks since boot, and fails for a dead one. A zombie is dead.
started() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != Z || ${fields[17]} -gt 1 ]] && echo "${fields[19]}"
}

# alive DIR succeeds while the very process that was started there runs; a stranger that was given the same number later
# does not count.
alive() {
  [[ -s $1/pid && -s $1/pid.started ]] && [[ $(started "$(<"$1/pid")") == "$(<"$1/pid.started")" ]]
}

# halt DIR ends the process and waits until it is gone; after 10 s it is killed.
halt() {
  local tenths
  if alive "$1"; then
    kill -s TERM "$(<"$1/pid")" 2>/dev/null || true
    for ((tenths = 0; tenths < 100; tenths++)); do
      alive "$1" || break
      sleep 0.1
    done
    if alive "$1"; then
      kill -s KILL "$(<"$1/pid")" 2>/dev/null || true
      while alive "$1"; do sleep 0.05; done
    fi
  fi
  rm -f "$1/pid" "$1/pid.started"
}
