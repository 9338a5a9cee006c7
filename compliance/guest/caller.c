/*
 * caller.c - makes system calls that it is told, and tells what came of each.
 *
 * The same program runs in a kernel with SELinux and under `mandate run`. It has no
 * library: what it calls is what is told, and nothing else. compliance/src/run/kernel
 * is the other end.
 *
 * As "run MARK" it takes standard input line by line, words apart by tabs:
 *   = NAME FOLDER       a scenario begins: MARK is opened, which is denied and logged
 *   + LETTER PROGRAM    starts a worker by executing PROGRAM
 *   LETTER CALL ...     lets a worker make a call; @LETTER is a worker's number
 *   .                   the scenario ends, and with it its workers
 * and tells on standard output, line by line: what a scenario is called, and for each
 * worker that starts and each call "ok" or the number of an errno, and what else there
 * is to tell.
 *
 * As "w" it is a worker: commands come by COMMANDS, results go by RESULTS. A worker that
 * executes another program goes on as that one.
 */
#define _GNU_SOURCE
#include <asm/errno.h>
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define COMMANDS 100
#define RESULTS 101
#define WORDS 16
#define PAGE 4096
#define REGIONS 8
#define NOBODY 0x7fffffff

/* ---- what a library would have ---- */

static long call6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define CALL0(n) call6(n, 0, 0, 0, 0, 0, 0)
#define CALL1(n, a) call6(n, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(n, a, b) call6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(n, a, b, c) call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(n, a, b, c, d) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL5(n, a, b, c, d, e) \
	call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define CALL6(n, a, b, c, d, e, f) \
	call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define PICK(name, _1, _2, _3, _4, _5, _6, which, ...) which
/* call(openat, folder, path, flags): the number by its name, and up to six arguments */
#define call(name, ...) \
	PICK(name __VA_OPT__(, ) __VA_ARGS__, CALL6, CALL5, CALL4, CALL3, CALL2, CALL1, CALL0, 0) \
	(__NR_##name __VA_OPT__(, ) __VA_ARGS__)

void *memset(void *to, int byte, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static long number(const char *s)
{
	int minus = *s == '-', base = 10;
	long n = 0;

	s += minus;
	if (*s == '0')
		base = 8;
	for (; *s >= '0' && *s <= '9'; s++)
		n = n * base + *s - '0';
	return minus ? -n : n;
}

/* A line that is being written. */
struct text {
	char bytes[8192];
	size_t n;
};

static void put(struct text *to, const char *s)
{
	while (*s && to->n < sizeof to->bytes)
		to->bytes[to->n++] = *s++;
}

static void put_number(struct text *to, long n)
{
	char digits[24], *at = digits + sizeof digits;
	int minus = n < 0;

	*--at = 0;
	do
		*--at = '0' + (minus ? -(n % 10) : n % 10);
	while ((n /= 10));
	if (minus)
		*--at = '-';
	put(to, at);
}

static void write_all(int fd, struct text *it)
{
	for (size_t done = 0; done < it->n;) {
		long r = call(write, fd, it->bytes + done, it->n - done);

		if (r <= 0)
			call(exit_group, 99);
		done += r;
	}
	it->n = 0;
}

/* The next line of a descriptor, byte by byte if it is a pipe; 0 at the end. */
static int read_line(int fd, char *to, size_t most)
{
	size_t n = 0;

	while (n < most - 1) {
		long r = call(read, fd, to + n, 1);

		if (r == -EINTR)
			continue;
		if (r <= 0)
			return 0;
		if (to[n] == '\n')
			break;
		n++;
	}
	to[n] = 0;
	return 1;
}

static int split(char *line, char **words)
{
	int n = 0;

	while (n < WORDS) {
		words[n++] = line;
		while (*line && *line != '\t')
			line++;
		if (!*line)
			break;
		*line++ = 0;
	}
	for (int i = n; i <= WORDS; i++)
		words[i] = "";
	return n;
}

/* ---- words of calls ---- */

struct word {
	const char *name;
	long value;
};

static const struct word WORD[] = {
	{ "r", O_RDONLY }, { "w", O_WRONLY }, { "rw", O_RDWR }, { "none", 3 },
	{ "append", O_APPEND }, { "creat", O_CREAT }, { "excl", O_EXCL },
	{ "trunc", O_TRUNC }, { "path", O_PATH }, { "tmp", O_TMPFILE },
	{ "dir", O_DIRECTORY }, { "nofollow", O_NOFOLLOW }, { "nonblock", O_NONBLOCK },
	{ "cloexec", O_CLOEXEC },
	{ "R", PROT_READ }, { "W", PROT_WRITE }, { "X", PROT_EXEC }, { "N", 0 },
	{ "shared", MAP_SHARED }, { "private", MAP_PRIVATE }, { "fixed", MAP_FIXED },
	{ "anon", MAP_ANONYMOUS },
	{ "fifo", S_IFIFO }, { "sock", S_IFSOCK }, { "reg", S_IFREG }, { "chr", S_IFCHR },
	{ "blk", S_IFBLK },
	{ "exists", 0 }, { "read", 4 }, { "write", 2 }, { "execute", 1 },
	{ "exchange", RENAME_EXCHANGE }, { "noreplace", RENAME_NOREPLACE },
	{ "inet", AF_INET }, { "inet6", AF_INET6 }, { "unix", AF_UNIX }, { "netlink", AF_NETLINK },
	{ "packet", AF_PACKET }, { "alg", AF_ALG },
	{ "stream", SOCK_STREAM }, { "dgram", SOCK_DGRAM }, { "raw", SOCK_RAW },
	{ "seqpacket", SOCK_SEQPACKET },
	{ "route", NETLINK_ROUTE }, { "audit", NETLINK_AUDIT }, { "uevent", NETLINK_KOBJECT_UEVENT },
	{ "generic", NETLINK_GENERIC }, { "selinux", NETLINK_SELINUX }, { "diag", NETLINK_SOCK_DIAG },
	{ "nflog", NETLINK_NFLOG }, { "xfrm", NETLINK_XFRM }, { "connector", NETLINK_CONNECTOR },
	{ "crypto", NETLINK_CRYPTO }, { "netfilter", NETLINK_NETFILTER }, { "usersock", NETLINK_USERSOCK },
	{ "fib", NETLINK_FIB_LOOKUP }, { "icmp", IPPROTO_ICMP }, { "udplite", IPPROTO_UDPLITE },
	{ "KILL", SIGKILL }, { "TERM", SIGTERM }, { "STOP", SIGSTOP }, { "CONT", SIGCONT },
	{ "CHLD", SIGCHLD }, { "USR1", SIGUSR1 }, { "NULL", 0 },
	{ "access", IN_ACCESS }, { "modify", IN_MODIFY },
	{ "follow", AT_SYMLINK_FOLLOW }, { "empty", AT_EMPTY_PATH },
};

/* Words apart by commas, joined; a number stands for itself. */
static long value(const char *s)
{
	long all = 0;

	while (*s) {
		char one[32];
		size_t n = 0, i;

		while (*s && *s != ',' && n < sizeof one - 1)
			one[n++] = *s++;
		one[n] = 0;
		s += *s == ',';
		for (i = 0; i < sizeof WORD / sizeof *WORD && !same(WORD[i].name, one); i++)
			;
		all |= i < sizeof WORD / sizeof *WORD ? WORD[i].value : number(one);
	}
	return all;
}

/* inet:PORT, inet6:PORT, any:PORT, file:PATH, name:NAME, group:N; how long it is. */
static int address(const char *s, struct sockaddr_storage *to)
{
	struct sockaddr_in *in = (void *)to;
	struct sockaddr_in6 *in6 = (void *)to;
	struct sockaddr_un *un = (void *)to;
	struct sockaddr_nl *nl = (void *)to;
	char kind[16];
	size_t n = 0;
	unsigned port;

	memset(to, 0, sizeof *to);
	while (*s && *s != ':' && n < sizeof kind - 1)
		kind[n++] = *s++;
	kind[n] = 0;
	s += *s == ':';
	port = number(s);
	port = (port & 255) << 8 | (port >> 8 & 255);
	n = length(s);
	if (same(kind, "inet") || same(kind, "any")) {
		in->sin_family = AF_INET;
		in->sin_port = port;
		in->sin_addr.s_addr = same(kind, "inet") ? 0x0100007f : 0;
		return sizeof *in;
	}
	if (same(kind, "inet6")) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		((char *)&in6->sin6_addr)[15] = 1;
		return sizeof *in6;
	}
	if (same(kind, "group")) {
		nl->nl_family = AF_NETLINK;
		nl->nl_groups = number(s);
		return sizeof *nl;
	}
	un->sun_family = AF_UNIX;
	if (same(kind, "name")) {
		memcpy(un->sun_path + 1, s, n);
		return offsetof(struct sockaddr_un, sun_path) + 1 + n;
	}
	memcpy(un->sun_path, s, n + 1);
	return offsetof(struct sockaddr_un, sun_path) + n + 1;
}

/* ---- calls ---- */

static struct text told; /* what a call tells besides its result */
static char *regions[REGIONS];

/* One byte, with or without a descriptor. */
static long send_message(int socket, int fd, const char *to)
{
	struct sockaddr_storage name;
	char byte = 'x', control[CMSG_SPACE(sizeof fd)] __attribute__((aligned(8)));
	struct iovec part = { &byte, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *c = (void *)control;

	memset(control, 0, sizeof control);
	if (fd >= 0) {
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		*(int *)CMSG_DATA(c) = fd;
		m.msg_control = control;
		m.msg_controllen = sizeof control;
	}
	if (*to) {
		m.msg_name = &name;
		m.msg_namelen = address(to, &name);
	}
	return call(sendmsg, socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static long receive_message(int socket, int at)
{
	char byte, control[CMSG_SPACE(sizeof at)] __attribute__((aligned(8)));
	struct iovec part = { &byte, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c = (void *)control;
	long r = call(recvmsg, socket, &m, MSG_DONTWAIT);

	if (r < 0)
		return r;
	if (m.msg_controllen >= CMSG_LEN(sizeof at) && c->cmsg_type == SCM_RIGHTS) {
		put(&told, " descriptor");
		call(dup3, *(int *)CMSG_DATA(c), at, 0);
	}
	if (m.msg_flags & MSG_CTRUNC)
		put(&told, " cut");
	return r;
}

static long into(int at, long fd)
{
	if (fd < 0 || fd == at)
		return fd;
	long r = call(dup3, fd, at, 0);

	call(close, fd);
	return r;
}

static long give_text(const char *text, long n)
{
	if (n < 0)
		return n;
	put(&told, " ");
	for (long i = 0; i < n && text[i]; i++) {
		char one[2] = { text[i] > ' ' ? text[i] : '_', 0 };

		put(&told, one);
	}
	return n;
}

static long map(char **w)
{
	long flags = value(w[4]), fd = *w[2] == '-' ? -1 : number(w[2]);
	long r = call(mmap, *w[5] ? number(w[5]) : 0, PAGE, value(w[3]), flags, fd, 0);

	if (r < 0 && r > -4096)
		return r;
	regions[number(w[1])] = (char *)r;
	return 0;
}

/* The heap has a page that was never executed, and the stack is where this is. */
static long protect_own(const char *what, long protection)
{
	char here;
	long at;

	if (same(what, "heap")) {
		at = (call(brk, 0) + PAGE - 1) & -PAGE;
		call(brk, at + PAGE);
	} else
		at = (long)&here & -PAGE;
	return call(mprotect, at, PAGE, protection);
}

static long attribute(char **w, int writes)
{
	char path[64], text[256];
	struct text to = { .n = 0 };
	long r;
	int fd;

	put(&to, "/proc/self/attr/");
	put(&to, w[1]);
	memcpy(path, to.bytes, to.n);
	path[to.n] = 0;
	fd = call(openat, AT_FDCWD, path, writes ? O_WRONLY : O_RDONLY, 0);
	if (fd < 0)
		return fd;
	r = writes ? call(write, fd, w[2], length(w[2])) : give_text(text, call(read, fd, text, sizeof text));
	call(close, fd);
	return r;
}

static long bear(void)
{
	long child = call(clone, SIGCHLD, 0, 0, 0, 0);

	if (!child)
		call(exit_group, 0);
	if (child > 0)
		call(wait4, child, 0, 0, 0);
	return child;
}

static long capability(int sets)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof data);
	return sets ? call(capset, &head, data) : call(capget, &head, data);
}

static long limit(char **w)
{
	struct rlimit64 { unsigned long now, most; } set = { 64, 512 }, got;
	int gets = same(w[2], "get") || same(w[2], "both"), sets = same(w[2], "set") || same(w[2], "both");

	return call(prlimit64, number(w[1]), RLIMIT_NOFILE, sets ? &set : 0, gets ? &got : 0);
}

static long lock(char **w)
{
	struct flock it = { .l_type = same(w[2], "shared") ? F_RDLCK : F_WRLCK };

	return same(w[2], "flock") ? call(flock, number(w[1]), LOCK_EX | LOCK_NB)
				   : call(fcntl, number(w[1]), F_SETLK, &it);
}

/* System V: one object of each kind that a scenario made, by its key. */
static long system_v(char **w)
{
	static char buffer[256];
	static struct { long kind; char text[8]; } message = { 1, "x" };
	long key = number(w[2]), flags = *w[3] ? number(w[3]) : 0, id;

	if (same(w[1], "shmget"))
		return call(shmget, key, PAGE, flags);
	if (same(w[1], "semget"))
		return call(semget, key, 1, flags);
	if (same(w[1], "msgget"))
		return call(msgget, key, flags);
	if (*w[1] == 's' && w[1][1] == 'h') {
		id = call(shmget, key, 0, 0);
		if (id < 0)
			return id;
		if (same(w[1], "shmat")) {
			id = call(shmat, id, 0, flags);
			return id < 0 && id > -4096 ? id : 0;
		}
		return call(shmctl, id, flags, buffer);
	}
	if (*w[1] == 's') {
		struct { unsigned short at; short by, flags; } change = { 0, (short)flags, IPC_NOWAIT };

		id = call(semget, key, 0, 0);
		if (id < 0)
			return id;
		return same(w[1], "semop") ? call(semop, id, &change, 1) : call(semctl, id, 0, flags, buffer);
	}
	id = call(msgget, key, 0);
	if (id < 0)
		return id;
	if (same(w[1], "msgsnd"))
		return call(msgsnd, id, &message, 1, IPC_NOWAIT);
	if (same(w[1], "msgrcv"))
		return call(msgrcv, id, &message, 1, 0, IPC_NOWAIT);
	return call(msgctl, id, flags, buffer);
}

/* Files and their names. */
static long on_files(char **w)
{
	static char buffer[4096];
	const char *op = w[0];
	long n;

	if (same(op, "open"))
		return into(number(w[1]), call(openat, AT_FDCWD, w[2], value(w[3]), *w[4] ? number(w[4]) : 0644));
	if (same(op, "openat"))
		return into(number(w[1]), call(openat, number(w[2]), w[3], value(w[4]), 0644));
	if (same(op, "close"))
		return call(close, number(w[1]));
	if (same(op, "read"))
		return call(read, number(w[1]), buffer, 1);
	if (same(op, "write"))
		return call(write, number(w[1]), "x", 1);
	if (same(op, "list"))
		return call(getdents64, number(w[1]), buffer, sizeof buffer);
	if (same(op, "stat"))
		return call(newfstatat, AT_FDCWD, w[1], buffer, 0);
	if (same(op, "lstat"))
		return call(newfstatat, AT_FDCWD, w[1], buffer, AT_SYMLINK_NOFOLLOW);
	if (same(op, "fstat"))
		return call(fstat, number(w[1]), buffer);
	if (same(op, "statx"))
		return call(statx, AT_FDCWD, w[1], 0, 0x7ff, buffer);
	if (same(op, "statfs"))
		return call(statfs, w[1], buffer);
	if (same(op, "fstatfs"))
		return call(fstatfs, number(w[1]), buffer);
	if (same(op, "access"))
		return call(faccessat, AT_FDCWD, w[1], value(w[2]));
	if (same(op, "readlink"))
		return call(readlinkat, AT_FDCWD, w[1], buffer, sizeof buffer);
	if (same(op, "chdir"))
		return call(chdir, w[1]);
	if (same(op, "fchdir"))
		return call(fchdir, number(w[1]));
	if (same(op, "mkdir"))
		return call(mkdirat, AT_FDCWD, w[1], 0755);
	if (same(op, "rmdir"))
		return call(unlinkat, AT_FDCWD, w[1], AT_REMOVEDIR);
	if (same(op, "unlink"))
		return call(unlinkat, AT_FDCWD, w[1], 0);
	if (same(op, "rename"))
		return call(renameat2, AT_FDCWD, w[1], AT_FDCWD, w[2], value(w[3]));
	if (same(op, "link"))
		return call(linkat, AT_FDCWD, w[1], AT_FDCWD, w[2], value(w[3]));
	if (same(op, "symlink"))
		return call(symlinkat, w[1], AT_FDCWD, w[2]);
	if (same(op, "mknod"))
		return call(mknodat, AT_FDCWD, w[1], value(w[2]) | 0644, 0);
	if (same(op, "chmod"))
		return call(fchmodat, AT_FDCWD, w[1], number(w[2]));
	if (same(op, "fchmod"))
		return call(fchmod, number(w[1]), number(w[2]));
	if (same(op, "chown"))
		return call(fchownat, AT_FDCWD, w[1], call(getuid), -1, 0);
	if (same(op, "lchown"))
		return call(fchownat, AT_FDCWD, w[1], call(getuid), -1, AT_SYMLINK_NOFOLLOW);
	if (same(op, "fchown"))
		return call(fchown, number(w[1]), call(getuid), -1);
	if (same(op, "touch"))
		return call(utimensat, AT_FDCWD, w[1], 0, 0);
	if (same(op, "utimes")) {
		struct timespec times[2] = { { 1, 0 }, { 1, 0 } };

		return call(utimensat, AT_FDCWD, w[1], times, 0);
	}
	if (same(op, "truncate"))
		return call(truncate, w[1], number(w[2]));
	if (same(op, "ftruncate"))
		return call(ftruncate, number(w[1]), number(w[2]));
	if (same(op, "setxattr"))
		return call(setxattr, w[1], w[2], w[3], length(w[3]) + same(w[2], "security.selinux"), 0);
	if (same(op, "lsetxattr"))
		return call(lsetxattr, w[1], w[2], w[3], length(w[3]) + same(w[2], "security.selinux"), 0);
	if (same(op, "fsetxattr"))
		return call(fsetxattr, number(w[1]), w[2], w[3], length(w[3]) + same(w[2], "security.selinux"), 0);
	if (same(op, "getxattr")) {
		n = call(getxattr, w[1], w[2], buffer, sizeof buffer);
		return give_text(buffer, n);
	}
	if (same(op, "lgetxattr")) {
		n = call(lgetxattr, w[1], w[2], buffer, sizeof buffer);
		return give_text(buffer, n);
	}
	if (same(op, "fgetxattr")) {
		n = call(fgetxattr, number(w[1]), w[2], buffer, sizeof buffer);
		return give_text(buffer, n);
	}
	if (same(op, "listxattr"))
		return call(listxattr, w[1], buffer, sizeof buffer);
	if (same(op, "removexattr"))
		return call(removexattr, w[1], w[2]);
	if (same(op, "fremovexattr"))
		return call(fremovexattr, number(w[1]), w[2]);
	if (same(op, "inotify"))
		return into(number(w[1]), call(inotify_init1, 0));
	if (same(op, "watch"))
		return call(inotify_add_watch, number(w[1]), w[2], value(w[3]));
	if (same(op, "lock"))
		return lock(w);
	if (same(op, "ioctl"))
		return call(ioctl, number(w[1]), number(w[2]), buffer);
	if (same(op, "umask"))
		return call(umask, number(w[1]));
	if (same(op, "memfd"))
		return into(number(w[1]), call(memfd_create, "memory", 0));
	if (same(op, "dup"))
		return call(dup3, number(w[2]), number(w[1]), 0);
	if (same(op, "fadvise"))
		return call(fadvise64, number(w[1]), 0, 0, 3);
	return -ENOSYS;
}

/* What processes do to themselves and to each other. */
static long on_processes(char **w)
{
	static char buffer[256];
	static char *environment[] = { "LD_PRELOAD=", 0 };
	char *words[] = { w[1], "w", 0 };
	const char *op = w[0];

	if (same(op, "exec"))
		return call(execve, w[1], words, environment);
	if (same(op, "execfd"))
		return call(execveat, number(w[1]), "", words, environment, AT_EMPTY_PATH);
	if (same(op, "fork"))
		return bear();
	if (same(op, "kill"))
		return call(kill, number(w[1]), value(w[2]));
	if (same(op, "tgkill"))
		return call(tgkill, number(w[1]), number(w[1]), value(w[2]));
	if (same(op, "setpgid"))
		return call(setpgid, number(w[1]), 0);
	if (same(op, "getpgid"))
		return call(getpgid, number(w[1]));
	if (same(op, "getsid"))
		return call(getsid, number(w[1]));
	if (same(op, "setsid"))
		return call(setsid);
	if (same(op, "getsched"))
		return call(sched_getscheduler, number(w[1]));
	if (same(op, "setsched"))
		return call(sched_setscheduler, number(w[1]), SCHED_OTHER, buffer + 128);
	if (same(op, "getparam"))
		return call(sched_getparam, number(w[1]), buffer);
	if (same(op, "setparam"))
		return call(sched_setparam, number(w[1]), buffer + 128);
	if (same(op, "getaffinity"))
		return call(sched_getaffinity, number(w[1]), 128, buffer);
	if (same(op, "setaffinity")) {
		buffer[0] = 1;
		return call(sched_setaffinity, number(w[1]), 8, buffer);
	}
	if (same(op, "nice"))
		return call(setpriority, PRIO_PROCESS, number(w[1]), 19);
	if (same(op, "getnice"))
		return call(getpriority, PRIO_PROCESS, number(w[1]));
	if (same(op, "ioprio"))
		return call(ioprio_set, 1, number(w[1]), 2 << 13 | 4);
	if (same(op, "getioprio"))
		return call(ioprio_get, 1, number(w[1]));
	if (same(op, "limit"))
		return limit(w);
	if (same(op, "getcap"))
		return capability(0);
	if (same(op, "setcap"))
		return capability(1);
	if (same(op, "nnp"))
		return call(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (same(op, "has-nnp")) {
		put(&told, call(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? " yes" : " no");
		return 0;
	}
	if (same(op, "setattr"))
		return attribute(w, 1);
	if (same(op, "getattr"))
		return attribute(w, 0);
	if (same(op, "map"))
		return map(w);
	if (same(op, "protect"))
		return call(mprotect, regions[number(w[1])], PAGE, value(w[2]));
	if (same(op, "protect-own"))
		return protect_own(w[1], value(w[2]));
	if (same(op, "poke"))
		return *(volatile char *)regions[number(w[1])] = 1, 0;
	if (same(op, "unmap"))
		return call(munmap, regions[number(w[1])], PAGE);
	if (same(op, "ipc"))
		return system_v(w + 0);
	if (same(op, "setuid"))
		return call(setuid, number(w[1]));
	if (same(op, "chroot"))
		return call(chroot, w[1]);
	return -ENOSYS;
}

static long on_sockets(char **w)
{
	static char buffer[256];
	struct sockaddr_storage name;
	const char *op = w[0];
	int pair[2], n;

	if (same(op, "socket"))
		return into(number(w[1]), call(socket, value(w[2]), value(w[3]), value(w[4])));
	if (same(op, "socketpair")) {
		long r = call(socketpair, AF_UNIX, value(w[3]), 0, pair);

		if (r < 0)
			return r;
		into(number(w[1]), pair[0]);
		return into(number(w[2]), pair[1]);
	}
	if (same(op, "pipe")) {
		long r = call(pipe2, pair, O_NONBLOCK);

		if (r < 0)
			return r;
		into(number(w[1]), pair[0]);
		return into(number(w[2]), pair[1]);
	}
	if (same(op, "bind"))
		return n = address(w[2], &name), call(bind, number(w[1]), &name, n);
	if (same(op, "connect"))
		return n = address(w[2], &name), call(connect, number(w[1]), &name, n);
	if (same(op, "listen"))
		return call(listen, number(w[1]), 4);
	if (same(op, "accept"))
		return into(number(w[1]), call(accept4, number(w[2]), 0, 0, 0));
	if (same(op, "send"))
		return call(sendto, number(w[1]), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
	if (same(op, "sendto"))
		return n = address(w[2], &name), call(sendto, number(w[1]), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT, &name, n);
	if (same(op, "sendmsg"))
		return send_message(number(w[1]), *w[2] && *w[2] != '-' ? number(w[2]) : -1, w[3]);
	if (same(op, "recv"))
		return call(recvfrom, number(w[1]), buffer, 1, MSG_DONTWAIT, 0, 0);
	if (same(op, "recvmsg"))
		return receive_message(number(w[1]), number(w[2]));
	if (same(op, "shutdown"))
		return call(shutdown, number(w[1]), 2);
	if (same(op, "setopt")) {
		n = 1;
		return call(setsockopt, number(w[1]), SOL_SOCKET, SO_KEEPALIVE, &n, sizeof n);
	}
	if (same(op, "getopt")) {
		n = sizeof buffer;
		return call(getsockopt, number(w[1]), SOL_SOCKET, SO_KEEPALIVE, buffer, &n);
	}
	if (same(op, "getname")) {
		n = sizeof name;
		return call(getsockname, number(w[1]), &name, &n);
	}
	if (same(op, "peersec")) {
		n = sizeof buffer;
		long r = call(getsockopt, number(w[1]), SOL_SOCKET, SO_PEERSEC, buffer, &n);

		return r < 0 ? r : give_text(buffer, n);
	}
	return -ENOSYS;
}

/* ---- worker ---- */

static void tell(long result)
{
	struct text line = { .n = 0 };

	if (result < 0)
		put_number(&line, -result);
	else
		put(&line, "ok");
	told.bytes[told.n] = 0;
	put(&line, told.bytes);
	put(&line, "\n");
	told.n = 0;
	write_all(RESULTS, &line);
}

static void work(int secure)
{
	static char line[8192];
	char *words[WORDS + 1];

	put(&told, secure ? " secure" : "");
	tell(0);
	while (read_line(COMMANDS, line, sizeof line)) {
		long r;

		split(line, words);
		if ((r = on_files(words)) == -ENOSYS && (r = on_processes(words)) == -ENOSYS)
			r = on_sockets(words);
		tell(r);
	}
	call(exit_group, 0);
}

/* ---- runner ---- */

struct worker {
	int commands, results;
	long process;
};

static struct worker workers[26];
static struct text out;
static long keys[8]; /* of what outlives its maker */

static void ended(struct worker *it)
{
	int status = 0;

	call(wait4, it->process, &status, 0, 0);
	call(close, it->commands);
	call(close, it->results);
	it->process = 0;
	put(&out, "ended ");
	put_number(&out, WIFSIGNALED(status) ? WTERMSIG(status) : 1000 + WEXITSTATUS(status));
	put(&out, "\n");
}

/* What a worker says next, or how it ended. */
static void hear(struct worker *it)
{
	static char line[8192];

	if (!read_line(it->results, line, sizeof line))
		return ended(it);
	put(&out, line);
	put(&out, "\n");
}

static void start(struct worker *it, char *program)
{
	int commands[2], results[2];
	char *words[] = { program, "w", 0 }, *environment[] = { 0 };

	call(pipe2, commands, O_CLOEXEC);
	call(pipe2, results, O_CLOEXEC);
	it->process = call(clone, SIGCHLD, 0, 0, 0, 0);
	if (!it->process) {
		call(dup3, commands[0], COMMANDS, 0);
		call(dup3, results[1], RESULTS, 0);
		call(exit_group, -call(execve, program, words, environment));
	}
	call(close, commands[0]);
	call(close, results[1]);
	it->commands = commands[1];
	it->results = results[0];
	hear(it);
}

/* A call for a worker, with the numbers of others in it. */
static void give(struct worker *it, char **words, int n)
{
	struct text line = { .n = 0 };

	if (!it->process) {
		put(&out, "none\n");
		return;
	}
	for (int i = 0; same(words[1], "ipc") && i < 8; i++)
		if (!keys[i] || keys[i] == number(words[3])) {
			keys[i] = number(words[3]);
			break;
		}
	for (int i = 1; i < n; i++) {
		if (i > 1)
			put(&line, "\t");
		if (*words[i] == '@') /* 0 would be the caller's group */
			put_number(&line, workers[words[i][1] - 'a'].process ?: NOBODY);
		else
			put(&line, words[i]);
	}
	put(&line, "\n");
	if (call(write, it->commands, line.bytes, line.n) < 0)
		return ended(it);
	hear(it);
}

static void end(void)
{
	for (int i = 0; i < 26; i++)
		if (workers[i].process) {
			struct text none = out;

			call(kill, workers[i].process, SIGKILL);
			ended(&workers[i]);
			out = none;
		}
	for (int i = 0; i < 8; i++) {
		if (keys[i]) {
			call(shmctl, call(shmget, keys[i], 0, 0), IPC_RMID, 0);
			call(semctl, call(semget, keys[i], 0, 0), 0, IPC_RMID, 0);
			call(msgctl, call(msgget, keys[i], 0), IPC_RMID, 0);
		}
		keys[i] = 0;
	}
	put(&out, ".\n");
	write_all(1, &out);
}

static void run(const char *mark)
{
	static char line[8192];
	char *words[WORDS + 1];
	/* as the kernel has it: handler, flags, restorer, mask */
	long ignore[] = { (long)SIG_IGN, 0, 0, 0 };

	call(rt_sigaction, SIGPIPE, ignore, 0, 8);
	/* what whoever started this left open */
	call(close_range, 3, ~0U, 0);
	while (read_line(0, line, sizeof line)) {
		int n = split(line, words);

		if (*line == '=') {
			put(&out, words[1]);
			put(&out, "\n");
			call(prctl, PR_SET_NAME, words[1], 0, 0, 0);
			if (call(openat, AT_FDCWD, mark, O_RDONLY, 0) != -EACCES || call(chdir, words[2]))
				call(exit_group, 98);
		} else if (*line == '+')
			start(&workers[*words[1] - 'a'], words[2]);
		else if (*line == '.')
			end();
		else
			give(&workers[*line - 'a'], words, n);
	}
	call(exit_group, 0);
}

__attribute__((used)) static void begin(long *stack)
{
	char **words = (char **)(stack + 1), **environment = words + stack[0] + 1;
	long *at, secure = 0;

	while (*environment)
		environment++;
	for (at = (long *)(environment + 1); *at; at += 2)
		if (*at == AT_SECURE)
			secure = at[1];
	if (stack[0] > 2 && same(words[1], "run"))
		run(words[2]);
	work(secure);
}

__attribute__((naked, noreturn)) void _start(void)
{
	__asm__("mov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin");
}
