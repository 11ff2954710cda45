# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What benchmarks share. $class is a class's folder in sysfs.

failed=0
history=/sys/kernel/debug/molt/history

# problem TEXT: something could not be measured; the rest may be.
problem()
{
	echo "problem: $*"
	failed=1
}

# give_up TEXT: without it nothing can be measured.
give_up()
{
	problem "$@"
	exit 1
}

is_idle()
{
	# shellcheck disable=SC2154 # of who sources this
	[ "$(cat "$class/state")" = idle ]
}

# moment COLUMN: of the last transition; nothing where its history has no such column.
moment()
{
	awk -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
		END { if (at) print $at }' $history
}
