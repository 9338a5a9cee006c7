# What shells do: pipes, groups, traps, signals, job control without a terminal.
# What is stopped shows as traced in /proc when it is watched.
set -u
echo {a..c}{1..3} | tr ' ' '\n' | sort -r | head -3
while read -r line; do echo "read $line"; done < <(seq 3)
coproc bc_like { while read -r a b; do echo $((a * b)); done; }
echo 6 7 >&"${bc_like[1]}"; read -r product <&"${bc_like[0]}"; echo "product $product"; eval "exec ${bc_like[1]}>&-"; wait
cat <<< "a string"; cat << end
a document
end
exec 5> five; echo to five >&5; exec 5>&-; cat five; exec 6<> six; echo both >&6; cat six; exec 6>&-
trap 'echo usr1' USR1; kill -USR1 $$; trap 'echo usr2' USR2; (kill -USR2 $$); trap - USR1 USR2
(trap 'echo ended' EXIT; exit 3); echo "code $?"
sleep 100 & kill -STOP $!; while ! grep -q 'State:.[Tt]' /proc/$!/status; do sleep 0.01; done; echo stopped
kill -CONT $!; kill $!; wait $! 2> /dev/null; echo "code $?"
for n in 3 1 2; do (sleep 0.$n; echo "slept $n") & done; wait
(sleep 0.1; exit 9) & wait -n; echo "code $?"
mkfifo pipe; set -m; (echo group > pipe; exec sleep 100) & cat pipe; kill -TERM -- -$!; wait $! 2> /dev/null; echo "code $?"; set +m
(echo through > pipe) & cat pipe; wait
read -rt 0.1 nothing < <(sleep 1); echo "code $?"
(exec 3<> pipe; read -rt 0.2 -u 3 nothing; echo "code $?")
timeout 0.2 cat pipe; echo "code $?"
timeout -s INT 0.2 bash -c 'cat pipe; echo not reached'; echo "code $?"
ulimit -n 50; ulimit -n; ulimit -c 0; umask 077; echo private > private; stat -c %a private
{ bash -c 'kill -SEGV $$'; echo "code $?"; } 2> /dev/null; ./absent 2> /dev/null; echo "code $?"; ./five 2> /dev/null; echo "code $?"
. <(echo 'sourced() { echo "sourced $1"; }'); sourced yes; (cd /; pwd); cd /proc/self && [ -r status ]; cd "$OLDPWD" || exit
seq 20000 | (trap '' PIPE; head -1); yes | head -2; echo "codes ${PIPESTATUS[*]}"
function deep { if [ "$1" -gt 0 ]; then (deep $(($1 - 1))); else echo bottom; fi; }; deep 30
exec -a renamed bash -c 'echo "$0"'
