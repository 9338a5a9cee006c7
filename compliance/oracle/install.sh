#!/bin/sh
# install.sh PACKAGE... - installs Debian packages without starting any service:
# a policy-rc.d that answers 101 stands there for as long as this runs.  Needs root.
set -eu
veto=/usr/sbin/policy-rc.d
made=no
restore() { if [ "$made" = yes ]; then rm -f "$veto"; fi; }
trap restore EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$veto" ]; then
	made=yes
	printf '#!/bin/sh\nexit 101\n' >"$veto"
	chmod 755 "$veto"
fi
export DEBIAN_FRONTEND=noninteractive
get() { apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$@"; }
update() { apt-get -q -o DPkg::Lock::Timeout=600 update; }

# Lists that are missing or older than a day are fetched first.
if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 2>/dev/null)" ]; then
	update
fi
get "$@" || { update && get "$@"; }
