# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts of tools/ share: where things are, messages, steps, locks.

set -euo pipefail

MOLT=$(cd -- "${BASH_SOURCE[0]%/*}/.." && pwd -P)
TOOLS=$MOLT/tools
# What is built for this checkout, and with MOLT_BUILD a folder in it, for another kernel; the build
# root sees it as build/ in either case.
BUILD=$MOLT/build${MOLT_BUILD:+/$MOLT_BUILD}
CACHE=$(realpath -m -- "${MOLT_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/molt}")
export MOLT_CACHE=$CACHE

say()
{
	printf 'molt: %s\n' "$*" >&2
}

die()
{
	printf 'molt: error: %s\n' "$1" >&2
	shift
	(($# == 0)) || printf '      %s\n' "$@" >&2
	exit 1
}

# An interrupted script takes the child it waits for with it. All long work is
# started by run(), in the background, since bash delays a trap until a child in
# the foreground has ended. What a child started itself dies by bubblewrap's
# --die-with-parent or unshare's --kill-child, also after SIGKILL.
child="" stop=TERM

interrupted()
{
	trap '' INT TERM HUP
	[[ -z $child ]] || { kill -"$stop" "$child" && wait "$child"; } 2>/dev/null || :
	say "interrupted; what is whole is kept, run it again to go on"
	exit "$1"
}

trap 'interrupted 129' HUP
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

run()
{
	local status=0

	setpriv --pdeathsig TERM "$@" <&0 &
	child=$!
	wait "$child" || status=$?
	child=
	return "$status"
}

# step NAME LOG COMMAND...: runs a long command with its output in LOG; a line at
# the start, at the end and, that one can see it move, now and then in between.
step()
{
	local name=$1 log=$2 start=$SECONDS next=$((SECONDS + 15)) status=0 pid tick line
	shift 2

	say "$name ..."
	"$@" >"$log" 2>&1 </dev/null &
	child=$! pid=$!
	while [[ -d /proc/$pid ]]; do
		sleep 1 &
		tick=$!
		wait -n "$pid" "$tick" || :
		kill -0 "$pid" 2>/dev/null || break
		((SECONDS >= next)) || continue
		line=$(tail -c 300 -- "$log" | tr '\r' '\n' | tail -n 1)
		say "$name: $((SECONDS - start)) s: ${line:0:70}"
		next=$((SECONDS + 15))
	done
	wait "$pid" || status=$?
	child=
	if ((status)); then
		tail -n 25 -- "$log" >&2
		say "$name: failed (status $status) after $((SECONDS - start)) s; log: $log"
		return "$status"
	fi
	say "$name: done in $((SECONDS - start)) s"
}

# lock FILE WHAT: one holder at a time; the kernel releases it however we end.
lock()
{
	local fd holder

	exec {fd}>>"$1"
	if ! flock -n "$fd"; then
		read -r holder <"$1" || holder=
		step "waiting for another run${holder:+ (process $holder)}: $2" /dev/null \
			flock "$fd"
	fi
	echo "$$" >"$1"
	locked=$fd
}

unlock()
{
	exec {locked}>&-
}

# Locks the build folder of this checkout for a verb and all that it calls.
lock_build()
{
	mkdir -p "$BUILD"
	[[ -n ${MOLT_BUILD_LOCKED:-} ]] || lock "$BUILD/.lock" "it uses $BUILD"
	export MOLT_BUILD_LOCKED=1
}

# What is set for apt on this machine and concerns our own use of it, too.
apt_options()
{
	apt-config dump | grep -iE '^Acquire::(https?::Proxy|Check-(Valid-Until|Date)) ' || :
}

# wipe DIR...: also what an interrupted bootstrap left to our subordinate ids.
wipe()
{
	local dir

	for dir; do
		[[ -e $dir ]] || continue
		rm -rf -- "$dir" 2>/dev/null ||
			unshare --map-root-user --map-auto rm -rf -- "$dir" ||
			die "cannot remove $dir"
	done
}

# Recipes are part of the names in the cache, so that checkouts of different age
# can share it.
root_recipe()
{
	sha256sum <"$TOOLS/packages" | cut -c1-8
}

kernel_recipe()
{
	{
		root_recipe
		cat -- "$TOOLS"/inside/kernel-{fetch,build}
	} | sha256sum | cut -c1-8
}

root_dir()
{
	printf '%s/root-%s\n' "$CACHE" "$(root_recipe)"
}

# The link names the kernel that the last look at the mirror found, and its age is
# that of the look.
kernel_link()
{
	printf '%s/kernel-now-%s\n' "$CACHE" "$(kernel_recipe)"
}

kernel_dir()
{
	readlink -e -- "${MOLT_KERNEL:-$(kernel_link)}"
}

# User Mode Linux of the kernel at hand, made by setup-uml.
uml_dir()
{
	local kernel recipe

	kernel=$(basename "$(kernel_dir)")
	recipe=$({
		kernel_recipe
		cat -- "$TOOLS/inside/uml-build"
	} | sha256sum | cut -c1-8)
	printf '%s/uml-%s-%s\n' "$CACHE" "${kernel#kernel-}" "$recipe"
}

# debug_dir CHECKERS: a kernel with these, made by setup-debug. It depends on the kernel's source and
# on the compilers, not on what else is in the build root.
debug_dir()
{
	local of recipe

	of=$(sed -n 's/^VERSION=//p' "$(kernel_dir)/info")
	recipe=$({
		sed -n '/^Package: \(rustc\|clang-19\)$/,/^Version/p' "$(root_dir)/var/lib/dpkg/status"
		cat -- "$TOOLS/inside/debug-build" "$TOOLS/debug/common.config" "$TOOLS/debug/$1.config"
	} | sha256sum | cut -c1-8)
	printf '%s/debug-%s-%s-%s\n' "$CACHE" "$1" "$of" "$recipe"
}

# herd7, made by setup-herd.
herd_dir()
{
	printf '%s/herd-%s\n' "$CACHE" "$(sha256sum <"$TOOLS/inside/herd-fetch" | cut -c1-8)"
}

# cached KIND DIR WHAT COMMAND...: DIR of the cache. Where it is not there yet it is made by COMMAND,
# which gets the folder to fill as its last argument; one run at a time makes something of a KIND. Of
# that kind, what no checkout has used within two weeks goes.
cached()
{
	local kind=$1 dir=$2 what=$3 old

	shift 3
	if [[ ! -d $dir ]]; then
		mkdir -p "$CACHE"
		lock "$CACHE/$kind.lock" "it makes $what"
		if [[ ! -d $dir ]]; then
			wipe "$CACHE/$kind"-*.tmp.*
			mkdir "$dir.tmp.$$"
			step "$what" "$CACHE/$kind.log" "$@" "$dir.tmp.$$"
			mv -T "$dir.tmp.$$" "$dir"
		fi
		unlock
	fi
	touch "$dir/.used"
	for old in "$CACHE/$kind"-*/; do
		old=${old%/}
		# What another run is making has no such file yet.
		[[ $old != "$dir" && $old != *.tmp.* ]] || continue
		[[ -z $(find "$old/.used" -mtime -14 2>/dev/null) ]] || continue
		wipe "$old"
	done
}

# Makes what is missing of the cache. A verb and all that it calls then stay with
# one kernel, whatever another run finds meanwhile.
setup()
{
	[[ -z ${MOLT_KERNEL:-} ]] || return 0
	run "$TOOLS/setup"
	MOLT_KERNEL=$(kernel_dir)
	export MOLT_KERNEL
}
