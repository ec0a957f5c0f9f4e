# cost.sh - sourced by benches after test/system/house.sh: who costs what, CPU time and memory of every process of the house $H.
#
#	house_cpu       prints role and microseconds, one process a line; the hand is a grandchild named by its parent
#	house_memory    prints role and KiB of the most that was resident, likewise
#	sum_by_role     adds up lines of a role
#	cpu_of PID      microseconds
#	median calc now_ms

now_ms() { date +%s%3N; }
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
calc() { awk "BEGIN { printf \"${2:-%.2f}\", ($1) }"; }
sum_by_role() { awk '{ s[$1] += $2 } END { for (r in s) print r, s[r] }' | sort; }
house_cpu() {
	local role number pid rest
	while read -r role number pid rest; do
		echo "$role $(cpu_of "$pid")"
		local c
		for c in $(hands_of "$pid"); do echo "hand-$role $(cpu_of "$c")"; done
	done < <(sed 's/\[.*//' "$H/run/pids")
}
hands_of() { # a signer's starter, and the hands it started
	local k g
	for k in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		for g in $k $(cat /proc/"$k"/task/*/children 2>/dev/null); do
			[ "$(cat /proc/"$g"/comm 2>/dev/null)" = hand ] && echo "$g"
		done
	done
}
# By the process's own clock, as clock_getcpuclockid names it: the ticks of utime and stime miss short turns.
cpu_of() { perl -MTime::HiRes=clock_gettime -e 'printf "%d", 1e6 * clock_gettime((-$ARGV[0] - 1) * 8 + 2)' "$1"; }
house_memory() {
	local role number pid rest c
	while read -r role number pid rest; do
		echo "$role $(sed -n 's/^VmHWM:[ \t]*\([0-9]*\).*/\1/p' "/proc/$pid/status")"
		for c in $(hands_of "$pid"); do echo "hand-$role $(sed -n 's/^VmHWM:[ \t]*\([0-9]*\).*/\1/p' "/proc/$c/status")"; done
	done <"$H/run/pids"
}
