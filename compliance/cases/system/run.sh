# Runs each check, one after the other, and keeps what it says; then the system ends as it does for an administrator. What they say goes
# through a pipe: services that a check starts have nothing to do with root's files. One that keeps the pipe does not keep the others waiting.
mkdir -p /root/told
for check in /root/checks/[0-9]*; do
	told=/root/told/${check##*/}
	{
		timeout 100 sh "$check" 2>&1 </dev/null
		echo $? >"$told.code"
	} | timeout 110 cat >"$told.out"
	sync
done
touch /root/told/end
poweroff
