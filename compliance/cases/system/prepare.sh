# Runs inside of the new tree, once: what its system is to be used for.
set -e

echo guest >/etc/hostname
printf '127.0.0.1 localhost guest\n' >/etc/hosts
printf 'auto lo\niface lo inet loopback\n' >/etc/network/interfaces
printf '/dev/ubda / ext4 defaults 0 1\n' >/etc/fstab

# The kernel has no IPv6, and serves the nodes of the tree instead of its own.
sed -i '/listen \[::\]/d' /etc/nginx/sites-available/default
echo 'served by the web server' >/var/www/html/index.html
mknod /dev/tty0 c 4 0
mknod /dev/kmsg c 1 11
mknod /dev/ubda b 98 0

# One ordinary user, one who may administrate; the key of root is good for both.
mkdir -m 700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
for name in alice bob; do
	useradd -m -s /bin/bash "$name"
	mkdir -m 700 "/home/$name/.ssh"
	cp /root/.ssh/id_ed25519.pub "/home/$name/.ssh/authorized_keys"
	chown -R "$name:$name" "/home/$name/.ssh"
done
echo 'bob ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/bob
chmod 440 /etc/sudoers.d/bob

# Root logs in at the only terminal, and its shell runs the checks.
sed -i '/getty/d' /etc/inittab
echo '1:2345:respawn:/sbin/agetty --autologin root --noclear 38400 tty0 linux' >>/etc/inittab
echo '[ -f /root/told/end ] || sh /root/checks/run' >/root/.bash_profile
