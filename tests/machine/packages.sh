#!/usr/bin/env bash
# Installs what the build and the tests need of the system, where it is missing: packages.sh SET...
#   build      a C compiler and the headers of libldap and libsasl, from which python-ldap is built
#   directory  slapd, the directory of the tests and of the demo, and the tools that the demo changes it with
#   domain     Samba, the Active Directory of the tests; its services are not started
#   database   PostgreSQL, of which the tests run a server of their own; Debian's service is neither made nor started
#   node       Node.js and npm, for a SCIM server that the tests write to
# Looks for the things themselves, not for packages: what came another way is fine. Without apt-get, or without the
# rights for it, says what is missing and how it is called on Debian.
set -euo pipefail

has_header() { printf '#include <%s>\n' "$1" | cc -E - > /dev/null 2>&1; }
has_program() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" > /dev/null; }
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null || { has_program postgres && has_program initdb; }; }
has_python_headers() { [ -e "$("${PYTHON:-python3}" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')/Python.h" ]; }

missing=()
for set in "$@"; do
  case "$set" in
    build)
      has_program cc || missing+=(gcc libc6-dev)
      has_python_headers || missing+=(python3-dev)
      has_header lber.h && has_header ldap.h || missing+=(libldap2-dev)
      has_header sasl/sasl.h || missing+=(libsasl2-dev)
      ;;
    directory)
      has_program slapd && has_program slapadd || missing+=(slapd)
      has_program ldapmodify || missing+=(ldap-utils)
      ;;
    domain)
      has_program samba && has_program samba-tool || missing+=(samba-ad-dc samba-ad-provision samba-dsdb-modules)
      has_program ip || missing+=(iproute2)
      ;;
    database)
      has_postgres || missing+=(postgresql)
      ;;
    node)
      has_program node && has_program npm || missing+=(nodejs npm)
      ;;
    *) echo "packages.sh knows build, directory, domain, database and node, not $set" >&2; exit 2 ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" != 0 ]; then root=(sudo -n); fi
if ! command -v apt-get > /dev/null || { [ ${#root[@]} -gt 0 ] && ! sudo -n true 2> /dev/null; }; then
  echo "Missing on this machine: ${missing[*]} (Debian's names). Install them, as root: apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "Installing ${missing[*]}"
# Without a configuration Debian's slapd starts no service: the tests run one of their own.
if [[ " ${missing[*]} " == *" slapd "* ]]; then
  printf 'slapd slapd/no_configuration boolean true\n' | "${root[@]}" debconf-set-selections
fi
# Debian's postgresql makes a database of its own, unless told otherwise before.
cluster=/etc/postgresql-common/createcluster.conf
if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e "$cluster" ]; then
  printf 'create_main_cluster = false\n' | "${root[@]}" install -D -m 644 /dev/stdin "$cluster"
fi
# Debian's samba and postgresql start their services, unless a policy forbids it (invoke-rc.d).
policy=/usr/sbin/policy-rc.d
if [[ " ${missing[*]} " =~ " samba-ad-dc "|" postgresql " ]] && [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" install -m 755 /dev/stdin "$policy"
  trap '"${root[@]}" rm -f "$policy"' EXIT
fi
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
