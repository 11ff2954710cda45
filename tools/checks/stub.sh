#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The code of a call, as it stands in a client: no lock prefix, no atomic instruction and
# no function call before the method is called; one comparison, which decides whether the
# call may go on; two increments of a per-CPU counter, which enter and leave the domain.
# Prints that code, and how many instructions it has over the same call through `dyn`.
# tools/check has built what is looked at here.

set -euo pipefail

# Seven are the protocol's: the gate's address, the counter's, two increments, the stamp, the
# comparison and the jump. The rest finds object and table, and saves registers.
most=20
object=build/modules/selftests/modules/call_stub.o

[[ -e /kernel/build/include/config/X86_64 ]] || { echo 'not x86-64'; exit 0; }

# fast_path FUNCTION: its instructions from the first to the return, in the order in which
# they run where no conditional jump is taken; calls and jumps name what they go to.
fast_path()
{
	objdump -dr --no-show-raw-insn -M intel --disassemble="$1" "$object" | awk -F '\t' -v name="$1" '
	/R_X86_64_/ {
		split($0, part, /R_X86_64_[A-Z0-9]+[ \t]+/)
		sub(/-0x[0-9a-f]+$/, "", part[2])
		to[count] = part[2]
		next
	}
	/^ *[0-9a-f]+:\t/ {
		address = $1
		gsub(/[ :]/, "", address)
		at[address] = ++count
		text[count] = $2
	}
	END {
		for (i = 1; i in text && !(i in seen); i++) {
			seen[i] = 1
			split(text[i], word, / +/)
			is_branch = word[1] ~ /^(call|jmp)$/
			if (is_branch && i in to) {
				print word[1] " " to[i]
			} else {
				sub(/ +/, " ", text[i])
				print text[i]
			}
			if (word[1] ~ /^ret/ || (word[1] == "jmp" && i in to)) exit
			if (word[1] == "jmp") {
				if (!(word[2] in at)) exit
				i = at[word[2]] - 1
			}
		}
	}'
}

fail()
{
	printf '%s\n' "$1" >&2
	status=1
}

# until_call: what comes before the call of the method; fails where there is none.
until_call()
{
	sed '/^call \(__x86_indirect_thunk\|[^_a-z]*\[\|r[0-9a-z]*$\|QWORD\)/,$d' <<<"$1"
}

status=0
by_handle=$(fast_path stub_of_handle)
by_dyn=$(fast_path stub_of_dyn)
before=$(until_call "$by_handle")
after=${by_handle#"$before"}
enter='^add QWORD PTR gs:.*,0x1$'

printf 'through a handle:\n%s\n\nthrough dyn:\n%s\n\n' "$by_handle" "$by_dyn"
added=$(($(wc -l <<<"$by_handle") - $(wc -l <<<"$by_dyn")))
echo "$added instructions more than through dyn"

[[ -n $by_handle && -n $by_dyn ]] || fail "$object has no stub"
[[ -n $after ]] || fail 'no indirect call on the fast path'
! grep -E '^(lock|rep)|^(cmpxchg|xchg|xadd)|mfence' <<<"$by_handle" || fail 'atomic instructions on the fast path'
! grep -E '^(call|jmp)' <<<"$before" || fail 'a function call before the method'
[[ $(grep -c "$enter" <<<"$before") == 1 ]] || fail 'the domain is not entered by one increment'
[[ $(grep -c "$enter" <<<"$after") == 1 ]] || fail 'the domain is not left by one increment'
[[ $(grep -cE '^j[a-z]+ ' <<<"$before") == 1 ]] || fail 'not one conditional jump before the method'
[[ $(grep -c '^cmp ' <<<"$before") == 1 ]] || fail 'not one comparison before the method'
[[ $(grep -c '^call' <<<"$after") == 1 ]] || fail 'a function call after the method'
((added <= most)) || fail "more than $most instructions over a call through dyn"
exit "$status"
