# tap.sh - sourced by shell tests: numbered TAP lines, a private folder, bounded waits.
#
#	tap_dir                     makes $T, a folder that is gone when the test ends
#	is NAME COMMAND...          ok when COMMAND succeeds; its output is shown when it does not
#	must NAME COMMAND...        the same, and the test ends here when it does not: the rest would mean nothing
#	isnt NAME COMMAND...        ok when it fails
#	equal NAME GOT WANT         ok when both are the same text
#	has NAME TEXT PART          ok when PART stands in TEXT
#	until_true COMMAND...       waits until it succeeds, 10 s at most
#	at_exit COMMAND...          done when the test ends, last one first
#	skip_all REASON             for a machine that lacks what the test needs
#	tap_end                     prints the plan; fails when a line failed

tap_n=0 tap_bad=0 tap_exits=()

tap_line() { # rc name output
	tap_n=$((tap_n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_n - $2"
	else
		tap_bad=$((tap_bad + 1))
		echo "not ok $tap_n - $2"
		[ -z "${3:-}" ] || echo "$3" | tail -20 | sed 's/^/# /'
	fi
}

is() {
	local name=$1 out rc=0
	shift
	out=$("$@" 2>&1) || rc=$?
	tap_line $rc "$name" "$out"
}

must() {
	local bad=$tap_bad
	is "$@"
	[ "$tap_bad" -eq "$bad" ] || exit 1
}

isnt() {
	local name=$1 out rc=1
	shift
	out=$("$@" 2>&1) || rc=0
	tap_line $rc "$name" "$out"
}

equal() {
	local rc=0
	[ "$2" = "$3" ] || rc=1
	tap_line $rc "$1" "got:  $2
want: $3"
}

has() {
	local rc=0
	case $2 in
	*"$3"*) ;;
	*) rc=1 ;;
	esac
	tap_line $rc "$1" "$2
lacks: $3"
}

until_true() {
	local i
	for ((i = 0; i < 500; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.02
	done
	return 1
}

at_exit() {
	tap_exits=("$(printf '%q ' "$@")" ${tap_exits[@]+"${tap_exits[@]}"})
}

tap_finish() {
	local x
	for x in ${tap_exits[@]+"${tap_exits[@]}"}; do
		eval "$x" >/dev/null 2>&1 || :
	done
}
trap tap_finish EXIT
trap 'exit 1' TERM INT HUP

tap_dir() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/inkan-test.XXXXXX")
	at_exit rm -rf "$T"
}

skip_all() {
	echo "ok 1 - # SKIP $*"
	exit 0
}

tap_end() {
	echo "1..$tap_n"
	[ "$tap_bad" -eq 0 ]
	exit
}
