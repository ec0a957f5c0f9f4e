# house.sh - sourced by system tests after test/tap.sh and tap_dir: a real house of real processes around a JPKI-like world.
#
#	house_make [OPTIONS OF init…]  makes $H, a new house in $T (several: HOUSE=name before it), and its free ports; it sets
#	                               variables, so it is called as it is, not through is; ends the test where it cannot
#	house_start [COMMAND…]         opens it (by COMMAND where given, such as `env INKAN_FAULT_FILE=…`) and waits until ready
#	house_stop                     closes it as an operator would
#	house_pid ROLE [NUMBER]        prints a process id: inkand front registrar verifier issuer status publisher messenger;
#	                               starter and hand (the issuer's, by number 0), those of status by number 1
#	house_kill ROLE [NUMBER]       kill -9 of that one process, by its id
#	house_wait_ready               every role is there and signers and verifiers stand ready; 30 s at most
#	house_state [FILTER]           how the registrar says the house stands (JSON), through jq where a filter is given
#	house_prepare FIRST N FILE     N applications by the world's cards many-FIRST …, challenges fetched, written out for load
#	house_load FIRST N [CONNECTIONS]  prepares and sends them, each until it is issued
#	house_url PATH                 prints the address of a path
#	house_lines FILTER             every line of the books that FILTER (jq) takes
#	house_line ACT                 prints how many lines of that act the books hold
#	house_settled                  succeeds when no dossier is received, waiting or ordered
#	house_books_ok                 books, journals and certificates agree, and are whole; says what does not
#	house_log TEXT                 succeeds when the house's log says so
#
# $H the home, $PORT and $PRIVATE its ports, $W the world (made once a day and build folder), $CRL the copy of J-LIS's
# list that messenger reads.  All processes end with the test, by their ids.

BUILD=${BUILD:-build}
[ "${BUILD#/}" != "$BUILD" ] || BUILD=$PWD/$BUILD
HOUSE_MANY=${HOUSE_MANY:-4000}
inkanctl=$BUILD/bin/inkanctl

# Roles are users of their own and must reach $H.
chmod 755 "$T"

house_world() {
	W=$BUILD/test/houses/world-$(date -u +%F)-$HOUSE_MANY
	mkdir -p "$BUILD/test/houses"
	(
		flock 9
		[ -e "$W/made" ] || { rm -rf "$W" && "$BUILD/test/jpki/world" "$W" --keys "$BUILD/test/houses/keys" --many "$HOUSE_MANY" && touch "$W/made"; }
	) 9>"$BUILD/test/houses/lock" >&2
}

# Two ports of our own below the kernel's range for outgoing connections: tests run beside each other.
house_ports() {
	local try
	PORT=$((20000 + ($$ * 8 + ${house_n:=0} * 2) % 12000))
	house_n=$((house_n + 1))
	for ((try = 0; try < 200; try++)); do
		ss -Hltn "( sport = :$PORT or sport = :$((PORT + 1)) )" | grep -q . || break
		PORT=$((20000 + (PORT - 20000 + 16) % 12000))
	done
	PRIVATE=$((PORT + 1))
}

house_make() {
	local ca
	house_world
	house_ports
	H=$T/${HOUSE:-house}
	CRL=$T/jlis-${HOUSE:-house}.crl
	cp "$W/signca03.crl" "$CRL" && chmod 644 "$CRL"
	local anchors=()
	for ca in 01 02 03; do anchors+=(--anchor "$W/signca$ca.cer"); done
	must "a house is made${HOUSE:+: $HOUSE}" "$inkanctl" init --home "$H" "${anchors[@]}" --url "http://127.0.0.1:$PORT" \
		--private "127.0.0.1:$PRIVATE" --jlis-crl "$CRL" --user-base 64000 "$@"
	at_exit house_end "$H"
}

# Whatever of a house is still there.
house_end() {
	local pids pid
	pids=$(cat "$1/run/inkand.pid" 2>/dev/null; cut -d' ' -f3 "$1/run/pids" 2>/dev/null)
	"$inkanctl" stop --home "$1"
	for pid in $pids; do
		# by id, and only what is ours: ids are given again
		tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--home $1" && kill -9 "$pid"
	done
	return 0
}

house_start() { { "$@" "$inkanctl" start --home "$H" || { tail -5 "$H/log/inkan.log"; false; }; } && house_wait_ready; }
house_stop() { "$inkanctl" stop --home "$H"; }
house_url() { echo "http://127.0.0.1:$PORT$1"; }
house_pid() {
	local pid
	case $1 in
	inkand) cat "$H/run/inkand.pid" ;;
	starter | hand)
		pid=$(house_pid "$([ "${2:-0}" = 0 ] && echo issuer || echo status)") && pid=$(house_child "$pid") || return 1
		[ "$1" = starter ] && echo "$pid" || house_child "$pid"
		;;
	*) sed -n "s/^$1 ${2:-0} //p" "$H/run/pids" ;;
	esac
}
house_child() { # the first child of a process
	local c
	read -r c _ 2>/dev/null <"/proc/$1/task/$1/children"
	[ -n "$c" ] && echo "$c"
}
house_kill() {
	local pid
	pid=$(house_pid "$@") && [ -n "$pid" ] && kill -9 "$pid"
}
house_state() {
	local s
	s=$("$inkanctl" status --home "$H" --json) && echo "$s" | jq -r "${1:-.}"
}
house_is_ready() {
	[ "$(house_state '.taking == "yes" and .issuer.state == "ready" and .status.state == "ready" and .verifiers_ready >= 1')" = true ] &&
		curl -sf -o /dev/null "http://127.0.0.1:$PORT/ca/issuer.cer"
}
house_wait() { # SECONDS COMMAND…
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}
house_wait_ready() { house_wait 30 house_is_ready || { house_state; tail -20 "$H/log/inkan.log"; return 1; }; }
house_prepare() { "$BUILD/bench/prepare" inkan "$W" "$1" "$2" "$(house_url '')" "$3"; }
house_load() {
	house_prepare "$1" "$2" "$T/load" && "$BUILD/bench/load" 127.0.0.1 "$PORT" "$T/load" "${3:-16}" issued
}
house_lines() { cat "$H"/books/entries/*.jsonl | jq -c "select($1)"; }
house_line() { cat "$H"/books/entries/*.jsonl | grep -c "^{\"n\":[0-9]*,\"at\":\"[^\"]*\",\"act\":\"$1\""; }
house_settled() { [ "$(house_state '.flights + .dossiers.received + .dossiers.waiting + .dossiers.ordered')" = 0 ]; }
house_log() { grep -qF -- "$1" "$H/log/inkan.log"; }

# An outsider's look at the files: numbers without a gap, time that never runs back, one serial one text, one application
# one certificate, every certificate ordered before and signed once in the issuer's journal, its bytes in the evidence.
house_audit() {
	cat "$H"/books/entries/*.jsonl | jq -n '
		reduce inputs as $l ({n: 0, at: "", ordered: {}, issued: {}, bad: []};
			(if $l.n != .n then .bad += ["line \($l.n) where \(.n) belongs"] else . end)
			| (if $l.at < .at then .bad += ["time runs back at \($l.n)"] else . end)
			| .n = $l.n + 1 | .at = $l.at
			| if $l.act == "certificate.ordered" then
				(if .ordered[$l.body.serial] then .bad += ["serial ordered twice \($l.body.serial)"] else . end)
				| .ordered[$l.body.serial] = $l.about
			elif $l.act == "certificate.issued" then
				(if .ordered[$l.body.serial] != $l.about then .bad += ["issued, not ordered \($l.body.serial)"] else . end)
				| (if .issued[$l.about] then .bad += ["two certificates of \($l.about)"] else . end)
				| .issued[$l.about] = $l.body.serial
			else . end)
		| .bad[]' -r >"$T/audit"
	# the journal: one intent a serial, one signature an intent
	cat "$H"/journal-issuer/entries/*.jsonl | jq -n '
		reduce inputs as $l ({n: 0, intent: {}, signed: {}, app: {}, bad: []};
			(if $l.n != .n then .bad += ["journal line \($l.n) where \(.n) belongs"] else . end)
			| .n = $l.n + 1
			| if $l.act == "intent" then
				(if .intent[$l.body.serial] then .bad += ["two intents of \($l.body.serial)"] else . end)
				| .intent[$l.body.serial] = $l.body.tbs
			elif $l.act == "signed" then
				(if .signed[$l.body.serial] then .bad += ["signed twice \($l.body.serial)"] else . end)
				| (if .intent[$l.body.serial] then . else .bad += ["signed without intent \($l.body.serial)"] end)
				| (if .app[$l.about] then .bad += ["two certificates signed for \($l.about)"] else . end)
				| .signed[$l.body.serial] = $l.body.certificate | .app[$l.about] = true
			elif $l.act == "void" then
				(if .signed[$l.body.serial] then .bad += ["void and signed \($l.body.serial)"] else . end)
			else . end)
		| .bad[]' -r >>"$T/audit"
	cat "$H"/books/entries/*.jsonl | jq -r 'select(.act == "certificate.issued") | "\(.body.serial) \(.evidence[0])"' | sort >"$T/audit-books"
	cat "$H"/journal-issuer/entries/*.jsonl | jq -r 'select(.act == "signed") | "\(.body.serial) \(.evidence[0])"' | sort >"$T/audit-journal"
	comm -23 "$T/audit-books" "$T/audit-journal" | sed 's/^/issued, not signed in the journal: /' >>"$T/audit"
	# every member of the packs is what its name says, and all evidence the lines name is there: the lines first, since a
	# house that runs writes evidence before its line
	cat "$H"/books/entries/*.jsonl | jq -r '.evidence[]' | sort -u >"$T/audit-named"
	rm -rf "$T/audit-packs"
	mkdir "$T/audit-packs"
	for pack in "$H"/books/evidence/*.tar; do tar -C "$T/audit-packs" -xf "$pack" || echo "pack ${pack##*/}" >>"$T/audit"; done
	(cd "$T/audit-packs" && find . -type f -printf '%f\n' | sort | xargs -r sha256sum) | sed 's/\.tar$//' |
		awk '{ if ($1 != $2) print "evidence is not what its name says: " $2 }' >>"$T/audit"
	for pack in "$H"/books/jlis/*.tar; do [ ! -e "$pack" ] || tar -tf "$pack"; done >"$T/audit-sealed"
	(ls "$T/audit-packs"; cat "$T/audit-sealed") | sort -u | comm -23 "$T/audit-named" - | sed 's/^/evidence is gone: /' >>"$T/audit"
	rm -rf "$T/audit-packs"
	head -5 "$T/audit"
	[ ! -s "$T/audit" ]
}

house_books_ok() {
	house_audit || return 1
	if "$inkanctl" --help | grep -q '^  books '; then "$inkanctl" books verify --home "$H"; fi
}

# --- applicants who do not give up (test/system/clients.c), and what they were promised ---
house_clients() { # OUT FIRST N [WORKERS [PAUSE_MS]]: begins in the background as $clients
	rm -f "$1" "$1.stop"
	: >"$1"
	"$BUILD/test/system/clients" "$W" "$PORT" "$2" "$3" "${4:-4}" "${5:-0}" "$1" &
	clients=$!
	at_exit kill "$clients"
}
house_clients_end() { # SECONDS [OUT]: they end by themselves, or where OUT is given are told to
	[ -z "${2:-}" ] || touch "$2.stop"
	timeout "$1" tail --pid="$clients" -s 0.05 -f /dev/null
}
# Says what was promised and is not so.
house_promises() { # OUT
	local d=$T/promised
	mkdir -p "$d"
	cat "$H"/books/entries/*.jsonl >"$d/lines"
	jq -r 'select(.act == "application.received") | .about' "$d/lines" | sort >"$d/received"
	jq -r 'select(.act == "certificate.issued") | "\(.about) \(.evidence[0])"' "$d/lines" | sort >"$d/issued"
	jq -r 'if .act == "receipt.received" then "receipt \(.about) \(.n)"
		elif .act == "certificate.revoked" then "revoked \(.body.serial) \(.n)" else empty end' "$d/lines" | sort >"$d/said"
	cut -d' ' -f1 "$d/issued" >"$d/have"
	sed -n 's/^applied //p' "$1" | sort -u >"$d/applied"
	comm -23 "$d/applied" "$d/received" | sed 's/^/promised, not in the books: /'
	comm -23 "$d/applied" "$d/have" | sed 's/^/promised, no certificate: /'
	comm -23 "$d/received" "$d/have" | sed 's/^/received, no certificate: /'
	sed -n 's/^issued //p' "$1" | sort -u | comm -23 - "$d/issued" | sed 's/^/another certificate than was fetched: /'
	grep -E '^(receipt|revoked)' "$1" | sort -u | comm -23 - "$d/said" | sed 's/^/not where its promise said: /'
	grep '^refused' "$1"
	jq -r 'select(.act == "application.refused" or .act == "review.opened") | "\(.act) \(.body.why)"' "$d/lines"
	[ -s "$d/applied" ] || echo "nothing was promised"
}
