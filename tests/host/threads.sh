#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# threads - runs what `make check-threads` has built, and judges it
#
#	threads.sh DIR [SEED]
#
# The sound programs must end well.  Each control has one step wrong and must be caught
# with one of a few seeds: reported by TSan (exit status 66), seen in the data (65, 70),
# or waiting for ever (67).  What never reports, proves nothing.  One line a program;
# exit status 1 when one failed.

dir=$1
seed=${2:-1}
tries=10
limit=120 # seconds for one run, which ends by itself where nothing hangs
passed=0 failed=0 skipped=0
alone= why= watched=

export TSAN_OPTIONS="exitcode=66 halt_on_error=1 report_signal_unsafe=0 atexit_sleep_ms=0"

pass() { passed=$((passed + 1)); echo "ok $1: $2"; }
fail() { failed=$((failed + 1)); echo "not ok $1: $2"; }
skip() { skipped=$((skipped + 1)); echo "ok $1 # SKIP $2"; }

# TSan wants its own layout of the address space, which some kernels' ASLR breaks.
runs() { probe=$($alone "$dir/tso/none/sections" small 1 1 1 2>&1); }

prepare() {
	runs && return
	case $probe in *"unexpected memory mapping"*) ;; *) return ;; esac
	alone="setarch $(uname -m) -R"
	runs || why="TSan cannot map its shadow memory, and ASLR cannot be turned off"
}

# sound NAME PROGRAM [ARGUMENT ...]
sound() {
	name=$1
	shift
	out=$(timeout $limit $alone "$@" 2>&1)
	status=$?
	last=$(echo "$out" | tail -n 1 | sed 's/^# //')
	case $status in
	0) pass "$name" "$last" ;;
	77) skip "$name" "this machine is too busy: $last" ;;
	*)
		fail "$name" "exit status $status"
		echo "$out" | sed 's/^/# /' | head -n 60
		;;
	esac
}

tsan() {
	if [ "$why" ]; then
		skip "$1" "$why"
	else
		sound "$@" "$seed" $watched
	fi
}

# control WANT NAME PROGRAM [ARGUMENT ...]: WANT is `stale`, `haunts` or `hangs`; the seed
# comes last, but for $watched
control() {
	want=$1 name=$2
	shift 2
	[ -z "$why" ] || { skip "$name" "$why"; return; }
	try=0
	while [ $try -lt $tries ]; do
		TSAN_OPTIONS="$TSAN_OPTIONS symbolize=0" timeout $limit $alone \
			"$@" $((seed + try)) $watched >/dev/null 2>&1
		status=$?
		try=$((try + 1))
		case $want$status in
		stale66) pass "$name" "reported by TSan, try $try"; return ;;
		stale65 | stale70) pass "$name" "seen in the data, try $try"; return ;;
		haunts71) pass "$name" "found by the ghost, try $try"; return ;;
		hangs67) pass "$name" "waits for ever, try $try"; return ;;
		stale0 | haunts0 | hangs0 | *77 | *124) ;; # this try shows nothing
		*) fail "$name" "exit status $status"; return ;;
		esac
	done
	fail "$name" "nothing in $tries tries"
}

tso=$dir/tso
many="3 20000 10000"

prepare
sound "every operation, one by one" "$dir/record/unit" --seed "$seed"

tsan "the store buffer is that of x86" "$tso/litmus" 4000
tsan "sections, huge steps" "$tso/none/sections" huge 3 50000
tsan "sections, small steps" "$tso/none/sections" small 3 50000
tsan "pool, 3 CPUs" "$tso/none/frames" 3 100000
tsan "gen-smr, 1 reader" "$tso/none/threads" gen-smr 1 20000 10000
tsan "gen-smr, 3 readers" "$tso/none/threads" gen-smr $many
for proto in gen-slot smr-seq request always new-root rendezvous stop-world \
	dirty-mask counter-wait handler-flush; do
	tsan "$proto, 3 readers" "$tso/none/threads" $proto $many
done
for proto in gen-smr gen-slot smr-seq request always new-root rendezvous stop-world \
	dirty-mask counter-wait handler-flush; do
	tsan "$proto, 5 initiators" "$tso/none/initiators" $proto 3 20000 2000
done
tsan "fills, 1 reader" "$tso/none/fills" 1 20000 10000
tsan "fills, 3 readers" "$tso/none/fills" $many

control stale "gen-ipi" "$tso/none/threads" gen-ipi $many
for twist in no_fence weak_exit early_exit no_wait; do
	control stale "sections, $twist" "$tso/$twist/sections" small 3 50000
done
for twist in no_lock one_list weak_exit; do
	control stale "pool, $twist" "$tso/$twist/frames" 3 100000
done
for twist in no_fence weak_exit no_wait; do
	control stale "gen-smr, $twist" "$tso/$twist/threads" gen-smr $many
done
for twist in no_hold no_retry no_ticket no_wait; do
	control stale "fills, $twist" "$tso/$twist/fills" $many
done
for mutant in gen-first gen-late early-exit no-wait no-flush; do
	control stale "gen-smr, $mutant" "$tso/none/threads" $mutant $many
done
for mutant in no-kick kick-first active-last; do
	control hangs "gen-smr, $mutant" "$tso/none/threads" $mutant 3 20000 500
done
for mutant in gen-slot-trap gen-slot-no-wait gen-slot-no-flush gen-slot-early-exit \
	smr-seq-trap smr-seq-no-wait request-no-wait always-no-wait always-early-exit \
	rendezvous-no-wait rendezvous-all-but-one rendezvous-look-first \
	rendezvous-early-exit rendezvous-free-first rendezvous-no-gen \
	stop-world-no-wait stop-world-all-but-one stop-world-in-only \
	stop-world-rushes stop-world-early-exit stop-world-no-flush stop-world-no-flag \
	dirty-mask-no-wait dirty-mask-all-but-one dirty-mask-mask-late \
	dirty-mask-active-only dirty-mask-join-late dirty-mask-ack-late \
	dirty-mask-no-flush dirty-mask-early-ack \
	counter-wait-no-wait counter-wait-all-but-one counter-wait-active-only \
	counter-wait-join-late \
	handler-flush-no-wait handler-flush-all-but-one handler-flush-entry \
	handler-flush-no-flush \
	new-root-no-flush new-root-flush-one new-root-no-switch new-root-gen-first \
	new-root-no-wait \
	door-no-wait door-all-but-one door-open-first door-no-gen; do
	control stale "$mutant" "$tso/none/threads" $mutant $many
done
for mutant in gen-slot-no-kick gen-slot-scan-first gen-slot-no-catch-up \
	gen-slot-nobody-sends smr-seq-no-kick smr-seq-kick-first smr-seq-active-last \
	request-no-kick request-request-late request-take-late always-no-kick \
	always-kick-first always-active-last \
	rendezvous-no-kick stop-world-no-kick counter-wait-kick-first \
	handler-flush-gen-late handler-flush-no-kick door-no-kick door-kick-first; do
	control hangs "$mutant" "$tso/none/threads" $mutant 3 20000 500
done
# Mistakes that take a second initiator.
for mutant in gen-ipi stop-world-free-first dirty-mask-newest \
	counter-wait-no-max; do
	control stale "$mutant, initiators" "$tso/none/initiators" $mutant 5 20000 2000
done

# The ghost TLB alone: TSan still instruments, but reports nothing.  It must have found a
# control before any datum is stale (65, 70).
watched=ghost
TSAN_OPTIONS="$TSAN_OPTIONS report_bugs=0"
tsan "gen-smr, watched, 1 reader" "$tso/none/threads" gen-smr 1 20000 10000
tsan "gen-smr, watched, 3 readers" "$tso/none/threads" gen-smr $many
tsan "new-root, watched, 3 readers" "$tso/none/threads" new-root $many
control haunts "gen-ipi, watched" "$tso/none/threads" gen-ipi $many
for twist in no_fence no_wait; do
	control haunts "gen-smr, $twist, watched" "$tso/$twist/threads" gen-smr $many
done
for mutant in gen-first gen-late early-exit no-wait no-flush; do
	control haunts "gen-smr, $mutant, watched" "$tso/none/threads" $mutant $many
done
for mutant in no-flush flush-one no-switch gen-first no-wait; do
	control haunts "new-root, $mutant, watched" "$tso/none/threads" new-root-$mutant $many
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
