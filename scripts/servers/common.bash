# Sourced by the setup, start and stop scripts of each server, which run with set -euo pipefail. A server's folder DIR gets:
# pid (the number alone, fit for kill -9), port, log, url (how to connect), its data and, with TLS, a password and tls/ca.pem.

die() {
  printf '%s: %s\n' "$0" "$*" >&2
  exit 1
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

# apt_need FILE PACKAGE... installs the packages unless FILE is there. While it runs, a policy file keeps them from starting
# a service of their own.
apt_need() {
  local file=$1 policy=/usr/sbin/policy-rc.d
  shift
  [[ ! -e $file ]] || return 0
  (
    flock 9
    [[ ! -e $file ]] || exit 0
    if [[ ! -e $policy ]]; then
      trap 'as_root rm -f "$policy"' EXIT
      printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
      as_root chmod +x "$policy"
    fi
    install=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 install
      --no-install-recommends "$@")
    # A stale package list is the usual reason for a failure, so the second try fetches a new one.
    as_root "${install[@]}" || { as_root apt-get -q update && as_root "${install[@]}"; }
  ) 9>"/tmp/headwater-apt.lock" >&2
}

# enter DIR creates DIR and prints its absolute path.
enter() {
  [[ -n ${1:-} ]] || die "usage: ${0##*/} DIR"
  mkdir -p "$1"
  realpath "$1"
}

# port FILE prints the port kept in FILE and chooses a free one the first time, below those that the kernel gives to outgoing
# connections: one of them could be given it while the server is down.
port() {
  local p
  while [[ ! -s $1 ]]; do
    p=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || echo "$p" >"$1"
  done
  cat "$1"
}

# started PID prints when a live process started, in clock ticks since boot, and fails for a dead one. A zombie without other
# threads is dead.
started() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != Z || ${fields[17]} -gt 1 ]] && echo "${fields[19]}"
}

# alive DIR succeeds while the very process that was started there runs; a stranger that was given the same number later
# does not count.
alive() {
  local ticks
  [[ -s $1/pid && -s $1/pid.started ]] && ticks=$(started "$(<"$1/pid")") && [[ $ticks == "$(<"$1/pid.started")" ]]
}

# launch DIR COMMAND... starts a server in a session of its own.
launch() {
  local dir=$1
  shift
  setsid "$@" </dev/null >>"$dir/log" 2>&1 &
  echo "$!" >"$dir/pid"
  started "$!" >"$dir/pid.started" || true
}

# comes_up DIR PROBE... waits until PROBE succeeds against the live server, and fails if it does not.
comes_up() {
  local dir=$1 limit=$((SECONDS + 60))
  shift
  until "$@" >/dev/null 2>&1 && alive "$dir"; do
    alive "$dir" && ((SECONDS < limit)) || return 1
    sleep 0.1
  done
}

# answers DIR PROBE... is the same, and the end of the server and the script if it does not succeed.
answers() {
  comes_up "$@" || { tail -n 30 "$1/log" >&2; halt "$1"; die "the server does not answer"; }
}

# halt DIR [SIGNAL] ends the server and waits until it is gone; after 10 s it is killed.
halt() {
  local tenths
  if alive "$1"; then
    kill -s "${2:-TERM}" "$(<"$1/pid")" 2>/dev/null || true
    for ((tenths = 0; tenths < 100; tenths++)); do
      alive "$1" || break
      sleep 0.1
    done
    if alive "$1"; then kill -s KILL "$(<"$1/pid")" 2>/dev/null || true; fi
    while alive "$1"; do sleep 0.05; done
  fi
  rm -f "$1/pid" "$1/pid.started"
}

# certificates DIR makes an authority and a certificate for localhost and 127.0.0.1: ca.pem, server.pem, server.key.
certificates() {
  [[ ! -s $1/server.pem ]] || return 0
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  mkdir -p "$1"
  {
    openssl req -x509 "${key[@]}" -keyout "$1/ca.key" -out "$1/ca.pem" -days 3650 -subj "/CN=Headwater test CA" \
      -addext "keyUsage=critical,keyCertSign"
    openssl req "${key[@]}" -keyout "$1/server.key" -out "$1/server.csr" -subj "/CN=localhost"
    openssl x509 -req -in "$1/server.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 3650 \
      -extfile <(printf '%s\n' "subjectAltName=DNS:localhost,IP:127.0.0.1" "basicConstraints=CA:FALSE" \
        "extendedKeyUsage=serverAuth") -out "$1/server.pem"
  } 2>"$1/openssl.log" || { cat "$1/openssl.log" >&2; die "openssl could not make certificates"; }
}

# password FILE prints the password kept in FILE and makes one up the first time.
password() {
  [[ -s $1 ]] || (umask 077 && openssl rand -hex 12 >"$1")
  cat "$1"
}
