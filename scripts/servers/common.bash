# Sourced by the setup, start and stop scripts beside it, which run with set -euo pipefail. A server's folder DIR gets: pid,
# port, log, url (how to connect), its data and, where it was first started with TLS=1, a password and tls/ca.pem.

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
    install=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q install --no-install-recommends "$@")
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

# alive PIDFILE succeeds while the process runs; a zombie is dead, and so is another one that got its number.
alive() {
  local fields
  [[ -s $1 && -s $1.started ]] && fields=$(started "$(<"$1")") && [[ $fields == "$(<"$1.started")" ]]
}
started() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != Z ]] && echo "${fields[19]}"
}

# launch DIR COMMAND... starts a server in a session of its own.
launch() {
  local dir=$1
  shift
  setsid "$@" </dev/null >>"$dir/log" 2>&1 &
  echo "$!" >"$dir/pid"
  started "$!" >"$dir/pid.started" || true
}

# answers DIR PROBE... waits until PROBE succeeds against the live server.
answers() {
  local dir=$1 limit=$((SECONDS + 60))
  shift
  until timeout 10 "$@" >/dev/null 2>&1; do
    alive "$dir/pid" && ((SECONDS < limit)) || { tail -n 30 "$dir/log" >&2; halt "$dir"; die "the server does not answer"; }
    sleep 0.1
  done
}

# halt DIR [SIGNAL] ends the server and waits until it is gone; after 10 s it is killed.
halt() {
  local pidfile=$1/pid tenths
  if alive "$pidfile"; then
    kill -s "${2:-TERM}" "$(<"$pidfile")" 2>/dev/null || true
    for ((tenths = 0; tenths < 100; tenths++)); do
      alive "$pidfile" || break
      sleep 0.1
    done
    if alive "$pidfile"; then kill -s KILL "$(<"$pidfile")" 2>/dev/null || true; fi
    while alive "$pidfile"; do sleep 0.05; done
  fi
  rm -f "$pidfile" "$pidfile.started"
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
      -extfile <(printf '%s\n' "subjectAltName=DNS:localhost,IP:127.0.0.1" "extendedKeyUsage=serverAuth") \
      -out "$1/server.pem"
  } 2>"$1/openssl.log" || { cat "$1/openssl.log" >&2; die "openssl could not make certificates"; }
}

# password FILE prints the password kept in FILE and makes one up the first time.
password() {
  [[ -s $1 ]] || (umask 077 && openssl rand -hex 12 >"$1")
  cat "$1"
}
