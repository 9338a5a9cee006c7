/*
 * userland.c - PID 1 of a guest in which programs of the host run under SELinux.
 *
 * The host's files are the guest's root, by hostfs and for reading only. Over them
 * lie what the guest has of its own: proc, sys, dev, a memory file system at
 * /etc/selinux, and the disk at /mnt, whose files have labels. It loads the policy,
 * takes the steps one by one, and writes what came of them to the channel.
 * compliance/src/kernel/userland.rs is the other end. Nothing but libc, linked
 * statically.
 *
 * Files in the initramfs
 *   /out        the folder of the host where "raw" is written
 *   /policy     the binary policy
 *   /steps      one step per line: WORD <TAB> ARGUMENT ..., escaped as below
 *
 * Steps
 *   dir P, file P CONTENT, fifo P, symlink TARGET P, hard OLD P
 *   label P CONTEXT             as it stands, on a link itself
 *   take file|dir P             a file without a label, made before there was a policy
 *   mount TYPE P, readonly P, umount P
 *   enforce 0|1
 *   clean P                     removes P and all below
 *   copy FROM P                 a program of the host
 *   script P CONTENT            a program, too
 *   node chr|blk|sock MAJOR MINOR P
 *   own P USER                  P and all below
 *   loopback                    its interface is up
 *   log TEXT                    waits until the kernel has logged TEXT, and says what it logged since the last time
 *   cwd P, input BYTES, user NUMBER    for the next program
 *   root P, context TEXT, seconds NUMBER    for the next program, too; in a context it has no capabilities, and from its start on
 *                               the kernel enforces
 *   be CONTEXT                  that of this program, which is to be allowed to end that
 *   run PROGRAM NAME WORD ...   runs PROGRAM under that name
 *   dump P                      the labels of P and of all below
 *   say TEXT
 *
 * Records, by their first field
 *   S <text>                            said
 *   R <exit code> <stdout> <stderr>     a program ended; 1000 and more: by a signal
 *   L <path> <label> <digest: 0|1>      one line of a dump
 *   F <number of the step> <errno name> a step failed
 *   END
 *
 * Fields escape NUL, tab, newline and backslash as \0 \t \n \\.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SEL "/sys/fs/selinux"
#define DISK "/mnt"
#define POOL DISK "/unlabelled" /* files without a label wait here */
#define POOLED 128
#define PROC 0x9fa0
#define SYSFS 0x62656572
#define WORDS 64     /* arguments of a step */
#define SECONDS 30   /* what a program may take */

static FILE *out; /* in memory until the end */
static char *out_text;
static size_t out_len;
static int out_fd = -1;
static char *cwd, *input, *root, *context;
static size_t input_len;
static int user, seconds;

static const char *errno_name(int e)
{
	const char *name = strerrorname_np(e);

	return name ? name : "EUNKNOWN";
}

/* A whole file from malloc, with a NUL behind it; NULL with errno. */
static char *slurp(int fd, size_t *len)
{
	size_t cap = 4096, n = 0;
	char *b = malloc(cap + 1);
	ssize_t r;

	while (fd >= 0 && (r = read(fd, b + n, cap - n)) > 0) {
		n += r;
		if (n == cap)
			b = realloc(b, (cap *= 2) + 1);
	}
	if (fd < 0 || r < 0) {
		free(b);
		return NULL;
	}
	b[n] = 0;
	if (len)
		*len = n;
	return b;
}

static char *slurp_path(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *b = slurp(fd, len);

	if (fd >= 0)
		close(fd);
	return b;
}

static void put_field(const char *s, size_t n)
{
	putc('\t', out);
	for (size_t i = 0; i < n; i++)
		switch (s[i]) {
		case 0: fputs("\\0", out); break;
		case '\t': fputs("\\t", out); break;
		case '\n': fputs("\\n", out); break;
		case '\\': fputs("\\\\", out); break;
		default: putc(s[i], out);
		}
}

/* Takes the escapes out of a field, in place; its length. */
static size_t unescape(char *s)
{
	char *to = s, *from = s;

	for (; *from; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		switch (*++from) {
		case '0': *to++ = 0; break;
		case 't': *to++ = '\t'; break;
		case 'n': *to++ = '\n'; break;
		default: *to++ = *from;
		}
	}
	*to = 0;
	return to - s;
}

/* ---- the end ---- */

static void finish(void)
{
	fflush(out);
	for (size_t done = 0; out_fd >= 0 && done < out_len;) {
		ssize_t r = write(out_fd, out_text + done, out_len - done);

		if (r < 0 && errno != EINTR)
			break;
		if (r > 0)
			done += r;
	}
	if (out_fd >= 0)
		fsync(out_fd);
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "guest: %s: %m\n", what);
	fprintf(out, "F\t%s\t%s\n", what, errno_name(errno));
	finish();
}

/* ---- set-up ---- */

static int write_file(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), e = 0;
	ssize_t r;

	if (fd < 0)
		return -1;
	r = write(fd, bytes, n);
	if (r < 0 || (size_t)r != n)
		e = r < 0 ? errno : EIO;
	close(fd);
	errno = e;
	return e ? -1 : 0;
}

static void open_output(void)
{
	char *folder = slurp_path("/out", NULL);

	mkdir("/host", 0700);
	must(!folder || mount("none", "/host", "hostfs", 0, folder), "hostfs for the output");
	out_fd = open("/host/raw", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(out_fd < 0, "output");
}

static void enter_root(void)
{
	mkdir("/root", 0755);
	must(mknod("/disk", S_IFBLK | 0600, makedev(98, 0)), "disk node");
	must(mount("none", "/root", "hostfs", MS_RDONLY, "/"), "hostfs of the root");
	must(mount("proc", "/root/proc", "proc", 0, NULL), "proc");
	must(mount("sysfs", "/root/sys", "sysfs", 0, NULL), "sysfs");
	must(mount("devtmpfs", "/root/dev", "devtmpfs", 0, NULL), "devtmpfs");
	must(mount("tmpfs", "/root/etc/selinux", "tmpfs", 0, "mode=755"), "/etc/selinux");
	must(mount("/disk", "/root" DISK, "ext4", 0, NULL), "disk");
	must(chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"), "root");
}

/* No file that is made under a policy is without a label, and none can be taken away. */
static void make_pool(void)
{
	char path[64];

	must(mkdir(POOL, 0755), "pool");
	for (int i = 0; i < POOLED; i++) {
		snprintf(path, sizeof path, POOL "/file%d", i);
		must(write_file(path, "", 0), path);
		snprintf(path, sizeof path, POOL "/dir%d", i);
		must(mkdir(path, 0755), path);
	}
}

/* ---- steps ---- */

static int set_label(const char *path, const char *context)
{
	return lsetxattr(path, "security.selinux", context, strlen(context) + 1, 0);
}

static int take(const char *kind, const char *path)
{
	static int files, dirs;
	char from[64];

	snprintf(from, sizeof from, POOL "/%s%d", kind, *kind == 'f' ? files++ : dirs++);
	return rename(from, path);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static int clean(const char *path)
{
	return nftw(path, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

/* What the kernel makes up changes by itself. */
static int is_made_up(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (fs.f_type == PROC || fs.f_type == SYSFS);
}

static int put_label(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	char label[4096];
	ssize_t n;

	(void)st, (void)at;
	if (kind == FTW_D && is_made_up(path))
		return FTW_SKIP_SUBTREE;
	n = lgetxattr(path, "security.selinux", label, sizeof label);
	if (n > 0 && !label[n - 1])
		n--;
	putc('L', out);
	put_field(path, strlen(path));
	put_field(label, n > 0 ? n : 0);
	fprintf(out, "\t%d\n", lgetxattr(path, "security.sehash", NULL, 0) > 0);
	return FTW_CONTINUE;
}

static void put_memory(int fd)
{
	size_t n = 0;
	char *b;

	lseek(fd, 0, SEEK_SET);
	b = slurp(fd, &n);
	put_field(b ? b : "", n);
	free(b);
	close(fd);
}

/* As files that the context itself has opened. */
static int reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

/* The kernel is permissive until the context is there; then it is told to enforce. */
static void enter_context(int *in, int *o, int *e, int *mode)
{
	*mode = open(SEL "/enforce", O_WRONLY | O_CLOEXEC);
	if (*mode < 0 || write_file("/proc/self/attr/current", context, strlen(context)))
		_exit(126);
	*in = reopen(*in, O_RDONLY);
	*o = reopen(*o, O_WRONLY | O_APPEND);
	*e = reopen(*e, O_WRONLY | O_APPEND);
	for (int it = 0; !prctl(PR_CAPBSET_DROP, it); it++)
		;
}

static void become(char **words, int in, int o, int e)
{
	int mode = -1;

	/* chcat 3.4 does not start without a translation; the one that is found so has no words */
	char *environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "LANGUAGE=en_GB", "HOME=/", NULL };

	if (context)
		enter_context(&in, &o, &e, &mode);
	if (dup2(in, 0) < 0 || dup2(o, 1) < 0 || dup2(e, 2) < 0 || (root && chroot(root)) || chdir(cwd ? cwd : "/"))
		_exit(126);
	if (user && (setgroups(0, NULL) || setresgid(user, user, user) || setresuid(user, user, user)))
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	alarm(seconds ? seconds : SECONDS);
	if (mode >= 0 && write(mode, "1", 1) != 1)
		_exit(126);
	execve(words[0], words + 1, environment);
	dprintf(2, "%s: %m\n", words[0]);
	_exit(127);
}

static int run(char **words)
{
	int in = memfd_create("in", MFD_CLOEXEC), o = memfd_create("out", MFD_CLOEXEC);
	int e = memfd_create("err", MFD_CLOEXEC), status;
	pid_t pid;

	if (in < 0 || o < 0 || e < 0 || (input && write(in, input, input_len) < 0))
		return -1;
	/* files in memory have a position, so that both sides append */
	fcntl(o, F_SETFL, O_APPEND);
	fcntl(e, F_SETFL, O_APPEND);
	lseek(in, 0, SEEK_SET);
	fflush(out);
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid)
		become(words, in, o, e);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close(in);
	fprintf(out, "R\t%d", WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
	put_memory(o);
	put_memory(e);
	putc('\n', out);
	cwd = input = root = context = NULL;
	user = seconds = 0;
	return 0;
}

static int copy(const char *from, const char *to)
{
	size_t n;
	char *b = slurp_path(from, &n);
	int failed = !b || write_file(to, b, n) || chmod(to, 0755);

	free(b);
	return failed ? -1 : 0;
}

static int make_node(const char *kind, dev_t device, const char *path)
{
	int mode = *kind == 'c' ? S_IFCHR : *kind == 'b' ? S_IFBLK : S_IFSOCK;

	return mknod(path, mode | 0644, device);
}

static int owner;

static int own_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return lchown(path, owner, owner);
}

static int own(const char *path, int whose)
{
	owner = whose;
	return nftw(path, own_one, 16, FTW_PHYS);
}

static int loopback_up(void)
{
	struct ifreq it = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), failed = s < 0 || ioctl(s, SIOCSIFFLAGS, &it);

	close(s);
	return failed ? -1 : 0;
}

/* A thread of the kernel writes audit records into its log, some time later. */
static int put_log(const char *last)
{
	int size = klogctl(10, NULL, 0); /* SYSLOG_ACTION_SIZE_BUFFER */
	char *text = malloc(size + 1);

	for (int tries = 0; text && tries < 500; tries++) {
		int n = klogctl(3, text, size); /* SYSLOG_ACTION_READ_ALL */

		if (n < 0)
			return -1;
		text[n] = 0;
		if (strstr(text, last)) {
			putc('S', out);
			put_field(text, n);
			putc('\n', out);
			free(text);
			return klogctl(5, NULL, 0); /* SYSLOG_ACTION_CLEAR */
		}
		usleep(10000);
	}
	errno = ETIMEDOUT;
	return -1;
}

static int is(char **q, int count, const char *word, int want)
{
	return count > want && !strcmp(q[0], word);
}

/* 0, or -1 with errno. */
static int step(char **q, size_t *len, int n)
{
	if (is(q, n, "dir", 1))
		return mkdir(q[1], 0755);
	if (is(q, n, "file", 2))
		return write_file(q[1], q[2], len[2]);
	if (is(q, n, "fifo", 1))
		return mkfifo(q[1], 0644);
	if (is(q, n, "symlink", 2))
		return symlink(q[1], q[2]);
	if (is(q, n, "hard", 2))
		return link(q[1], q[2]);
	if (is(q, n, "label", 2))
		return set_label(q[1], q[2]);
	if (is(q, n, "take", 2))
		return take(q[1], q[2]);
	if (is(q, n, "copy", 2))
		return copy(q[1], q[2]);
	if (is(q, n, "node", 4))
		return make_node(q[1], makedev(atoi(q[2]), atoi(q[3])), q[4]);
	if (is(q, n, "script", 2))
		return write_file(q[1], q[2], len[2]) || chmod(q[1], 0755);
	if (is(q, n, "own", 2))
		return own(q[1], atoi(q[2]));
	if (is(q, n, "loopback", 0))
		return loopback_up();
	if (is(q, n, "log", 1))
		return put_log(q[1]);
	if (is(q, n, "user", 1))
		return user = atoi(q[1]), 0;
	if (is(q, n, "root", 1))
		return root = q[1], 0;
	if (is(q, n, "be", 1))
		return write_file("/proc/self/attr/current", q[1], len[1]);
	if (is(q, n, "context", 1))
		return context = q[1], 0;
	if (is(q, n, "seconds", 1))
		return seconds = atoi(q[1]), 0;
	if (is(q, n, "mount", 2))
		return mount("none", q[2], q[1], 0, NULL);
	if (is(q, n, "readonly", 1))
		return mount("none", q[1], NULL, MS_REMOUNT | MS_RDONLY, NULL);
	if (is(q, n, "umount", 1))
		return umount2(q[1], 0);
	if (is(q, n, "enforce", 1))
		return write_file(SEL "/enforce", q[1], len[1]);
	if (is(q, n, "clean", 1))
		return clean(q[1]);
	if (is(q, n, "run", 2))
		return run(q + 1);
	if (is(q, n, "dump", 1))
		return nftw(q[1], put_label, 16, FTW_PHYS | FTW_ACTIONRETVAL);
	if (is(q, n, "cwd", 1))
		return cwd = q[1], 0;
	if (is(q, n, "input", 1))
		return input = q[1], input_len = len[1], 0;
	if (is(q, n, "say", 1))
		return putc('S', out), put_field(q[1], len[1]), putc('\n', out), 0;
	errno = EINVAL;
	return -1;
}

static void take_steps(char *rest)
{
	char *line;

	for (int number = 1; (line = strsep(&rest, "\n")); number++) {
		char *words[WORDS + 1];
		size_t len[WORDS];
		int n = 0;

		if (!*line)
			continue;
		for (char *word; n < WORDS && (word = strsep(&line, "\t")); n++) {
			len[n] = unescape(word);
			words[n] = word;
		}
		words[n] = NULL;
		if (line || step(words, len, n))
			fprintf(out, "F\t%d\t%s\n", number, errno_name(line ? E2BIG : errno));
	}
}

int main(void)
{
	char *policy, *steps;
	size_t n;

	out = open_memstream(&out_text, &out_len);
	umask(022);
	open_output();
	policy = slurp_path("/policy", &n);
	steps = slurp_path("/steps", NULL);
	must(!policy || !steps, "the job");
	enter_root();
	make_pool();
	must(mount("selinuxfs", SEL, "selinuxfs", 0, NULL), "selinuxfs");
	must(write_file(SEL "/load", policy, n), "load");
	take_steps(steps);
	/* the output goes to a file of the host: whatever the policy says */
	write_file(SEL "/enforce", "0", 1);
	fprintf(out, "END\n");
	finish();
	return 0;
}
