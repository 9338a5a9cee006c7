/*
 * init.c - the only program of the compliance guest: PID 1 on a real Linux kernel.
 *
 * It loads binary policies through selinuxfs, puts queries to the kernel and
 * writes the raw replies, one tab-separated record per line, to the channel
 * that /job names. compliance/src/kernel.rs makes JSON of them. Nothing but
 * libc, linked statically.
 *
 * Files in the initramfs
 *   /job        key=value lines: mode, out, enforce, dump, readback
 *   /policyN    binary policies; 0 is loaded first, "load" takes any
 *   /queries    one query per line: OP <TAB> ARG ...
 *   /modules/   kernel modules to insert, in the order of their names
 *
 * Records, by their first field
 *   T <what> <seconds since boot>        S <key> <value>
 *   N                                    a policy was loaded: what follows is its
 *   C <class> <number>                   P <class> <permission> <bit, from 1>
 *   B <boolean> <current> <pending>      I <initial sid> <context>
 *   Q ok <reply>                         Q err <errno name> <step>
 *   K <kernel log line>                  R <length> newline <bytes>
 *   F <what> <errno name>                cannot go on
 *   END <answers written>
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
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
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define SEL "/sys/fs/selinux"
#define REPLY_MAX 8192 /* a selinuxfs transaction fits one page */
#define FD_MANY 900    /* close spent transactions in bulk from here on */

static FILE *out; /* in memory until the end: enforcement could stop a write */
static char *out_text;
static size_t out_len;
static int out_fd = -1;
static char job_mode[16], job_out[256];
static int job_enforce, job_dump = 1, job_readback;
static long answers;
static int programs_ran;

static int write_file(const char *path, const void *bytes, size_t n);

static void stamp(const char *what)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	fprintf(out, "T\t%s\t%.6f\n", what, t.tv_sec + t.tv_nsec / 1e9);
}

static const char *errno_name(int e)
{
	const char *name = strerrorname_np(e);

	return name ? name : "EUNKNOWN";
}

/* A whole file, NUL-terminated, from malloc; NULL with errno. */
static char *slurp(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), e;
	size_t cap = 4096, n = 0;
	struct stat st;
	ssize_t r;
	char *b;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && st.st_size > 0)
		cap = st.st_size + 1;
	b = malloc(cap + 1);
	while ((r = read(fd, b + n, cap - n)) > 0) {
		n += r;
		if (n == cap)
			b = realloc(b, (cap *= 2) + 1);
	}
	e = errno;
	close(fd);
	if (r < 0) {
		free(b);
		errno = e;
		return NULL;
	}
	b[n] = 0;
	if (len)
		*len = n;
	return b;
}

/* A small file without its last newline or NUL. */
static char *slurp_line(const char *path)
{
	size_t n;
	char *b = slurp(path, &n);

	while (b && n && (b[n - 1] == '\n' || b[n - 1] == 0))
		b[--n] = 0;
	return b;
}

/* Bytes as one field: NUL, tab, newline and backslash escaped. */
static void put_field(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		switch (s[i]) {
		case 0: fputs("\\0", out); break;
		case '\t': fputs("\\t", out); break;
		case '\n': fputs("\\n", out); break;
		case '\\': fputs("\\\\", out); break;
		default: putc_unlocked(s[i], out);
		}
}

static void put_log(void)
{
	int size = klogctl(10, NULL, 0), n;
	char *b, *line, *rest;

	if (size <= 0)
		return;
	b = malloc(size + 1);
	n = klogctl(3, b, size);
	b[n > 0 ? n : 0] = 0;
	for (rest = b; (line = strsep(&rest, "\n"));) {
		if (!*line)
			continue;
		fputs("K\t", out);
		put_field(line, strlen(line));
		putc('\n', out);
	}
	free(b);
}

/* ---- the end ---- */

static void send_output(void)
{
	for (size_t done = 0; out_fd >= 0 && done < out_len;) {
		ssize_t r = write(out_fd, out_text + done, out_len - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			fprintf(stderr, "guest: output: %m\n");
			break;
		}
		done += r;
	}
	if (out_fd >= 0) {
		fsync(out_fd);
		close(out_fd);
	}
}

static void finish(void)
{
	int hostfs = !strcmp(job_mode, "hostfs");

	stamp("end");
	fprintf(out, "END\t%ld\n", answers);
	fflush(out);
	send_output();
	if (hostfs)
		umount("/host");
	/* qemu runs with -no-reboot, so a restart ends it; UML needs a halt */
	reboot(hostfs ? RB_POWER_OFF : RB_AUTOBOOT);
	_exit(1); /* reboot denied: PID 1 ends, the kernel panics, panic=-1 ends the guest */
}

static void fatal(const char *what, int e)
{
	write_file(SEL "/enforce", "0", 1);
	fprintf(out, "F\t%s\t%s\n", what, errno_name(e));
	put_log();
	finish();
}

/* ---- selinuxfs ---- */

/* One write of the whole, as selinuxfs wants it; 0 or errno. */
static int write_file(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), e = 0;
	ssize_t r;

	if (fd < 0)
		return errno;
	r = write(fd, bytes, n);
	if (r < 0)
		e = errno;
	else if ((size_t)r != n)
		e = EIO;
	close(fd);
	return e;
}

static int load_policy(const char *path)
{
	size_t n;
	char *b = slurp(path, &n);
	int e = b ? write_file(SEL "/load", b, n) : errno;

	free(b);
	return e;
}

static void each(const char *dir, void (*f)(const char *dir, const char *name))
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			f(dir, e->d_name);
	if (d)
		closedir(d);
}

/* The contents of DIR/NAME as a last field. */
static void put_file(const char *dir, const char *name)
{
	char path[768], *b;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	b = slurp_line(path);
	if (b)
		put_field(b, strlen(b));
	putc('\n', out);
	free(b);
}

static void put_status(const char *key, const char *dir, const char *name)
{
	fprintf(out, "S\t%s\t", key);
	put_file(dir, name);
}

static const char *class_in_hand;

static void put_permission(const char *dir, const char *name)
{
	fprintf(out, "P\t%s\t%s\t", class_in_hand, name);
	put_file(dir, name);
}

static void put_class(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fprintf(out, "C\t%s\t", name);
	put_file(path, "index");
	class_in_hand = name;
	strncat(path, "/perms", sizeof path - strlen(path) - 1);
	each(path, put_permission);
}

static void put_boolean(const char *dir, const char *name)
{
	char path[512], *b;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	b = slurp_line(path);
	if (b && strlen(b) >= 3)
		fprintf(out, "B\t%s\t%c\t%c\n", name, b[0], b[2]);
	free(b);
}

static void put_initial_sid(const char *dir, const char *name)
{
	fprintf(out, "I\t%s\t", name);
	put_file(dir, name);
}

static void put_capability(const char *dir, const char *name)
{
	char key[300];

	snprintf(key, sizeof key, "policycap:%s", name);
	put_status(key, dir, name);
}

/* What the policy now loaded names. */
static void put_policy(void)
{
	static const char *const files[] = { "policyvers", "enforce", "mls",
					     "deny_unknown", "reject_unknown" };

	fputs("N\n", out);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		put_status(files[i], SEL, files[i]);
	put_status("self_context", "/proc/self/attr", "current");
	if (!job_dump)
		return;
	each(SEL "/policy_capabilities", put_capability);
	each(SEL "/initial_contexts", put_initial_sid);
	each(SEL "/class", put_class);
	each(SEL "/booleans", put_boolean);
}

/* ---- class name to number, forgotten at each load ---- */

#define BUCKETS 1024
static struct class { char *name; unsigned number; struct class *next; } *classes[BUCKETS];

static unsigned bucket(const char *s)
{
	unsigned h = 5381;

	while (*s)
		h = h * 33 + (unsigned char)*s++;
	return h % BUCKETS;
}

static void forget_classes(void)
{
	for (int i = 0; i < BUCKETS; i++)
		for (struct class *c; (c = classes[i]);) {
			classes[i] = c->next;
			free(c->name);
			free(c);
		}
}

/* Decimal numbers pass as they are, so that unknown classes can be asked. */
static unsigned class_number(const char *name)
{
	char path[512], *text, *end;
	unsigned long v = strtoul(name, &end, 10);
	unsigned h = bucket(name);
	struct class *c;

	if (*name && !*end)
		return v;
	for (c = classes[h]; c; c = c->next)
		if (!strcmp(c->name, name))
			return c->number;
	if (strchr(name, '/') || strlen(name) > 200)
		return 0;
	snprintf(path, sizeof path, SEL "/class/%s/index", name);
	text = slurp_line(path);
	c = malloc(sizeof *c);
	c->name = strdup(name);
	c->number = text ? strtoul(text, NULL, 10) : 0;
	c->next = classes[h];
	classes[h] = c;
	free(text);
	return c->number;
}

/* ---- programs: an ioctl or a netlink message made in a domain, on an object ---- */

enum { GRANTED, DENIED };
struct attempt { int verdict, error; char step[16]; };

static void give_up(struct attempt *a, const char *step)
{
	a->error = errno ? errno : EIO;
	snprintf(a->step, sizeof a->step, "%s", step);
	_exit(0);
}

static void set_attr(struct attempt *a, const char *attr, const char *context)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/attr/%s", attr);
	errno = write_file(path, context, strlen(context));
	if (errno)
		give_up(a, attr);
}

/* Socket classes a program can own, and how to make one. */
static const struct { const char *name; int domain, type, protocol; } sockets[] = {
	{ "tcp_socket", AF_INET, SOCK_STREAM, 0 },
	{ "udp_socket", AF_INET, SOCK_DGRAM, 0 },
	{ "unix_stream_socket", AF_UNIX, SOCK_STREAM, 0 },
	{ "unix_dgram_socket", AF_UNIX, SOCK_DGRAM, 0 },
	{ "packet_socket", AF_PACKET, SOCK_RAW, 0 },
	{ "netlink_route_socket", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE },
	{ "netlink_tcpdiag_socket", AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG },
	{ "netlink_audit_socket", AF_NETLINK, SOCK_RAW, NETLINK_AUDIT },
	{ "netlink_xfrm_socket", AF_NETLINK, SOCK_RAW, NETLINK_XFRM },
};

static int make_socket(struct attempt *a, const char *class, const char *context)
{
	for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++)
		if (!strcmp(class, sockets[i].name)) {
			set_attr(a, "sockcreate", context);
			return socket(sockets[i].domain, sockets[i].type, sockets[i].protocol);
		}
	return -2;
}

/* A new object of the class with the context; a descriptor or no return. */
static int make_object(struct attempt *a, const char *class, const char *context)
{
	char path[64];
	int fd = make_socket(a, class, context);

	snprintf(path, sizeof path, "/objects/%ld", answers);
	if (fd == -2) {
		set_attr(a, "fscreate", context);
		if (!strcmp(class, "file"))
			fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
		else if (!strcmp(class, "dir"))
			fd = mkdir(path, 0700) ? -1 : open(path, O_RDONLY);
		else if (!strcmp(class, "fifo_file"))
			fd = mkfifo(path, 0600) ? -1 : open(path, O_RDWR);
		else if (!strcmp(class, "chr_file")) /* as /dev/null */
			fd = mknod(path, S_IFCHR | 0600, 1 << 8 | 3) ? -1 : open(path, O_RDWR);
		else
			errno = ENOTSUP;
	}
	if (fd < 0)
		give_up(a, "object");
	return fd;
}

/* Is the object what the query says? Labels fall back silently on some file systems. */
static void check_label(struct attempt *a, int fd, const char *context)
{
	char label[512];
	ssize_t n = fgetxattr(fd, "security.selinux", label, sizeof label - 1);

	if (n < 0)
		give_up(a, "label");
	label[n] = 0;
	if (strcmp(label, context)) {
		errno = EXDEV;
		give_up(a, "label");
	}
}

static int call(int fd, const char *kind, unsigned long number)
{
	struct nlmsghdr header = { .nlmsg_len = sizeof header, .nlmsg_type = number };
	char space[4096] = { 0 };

	errno = 0;
	if (!strcmp(kind, "nlmsg"))
		return send(fd, &header, sizeof header, 0);
	return ioctl(fd, number, space);
}

static void attempt(struct attempt *a, char **q)
{
	char name[16];
	int fd;

	snprintf(name, sizeof name, "q%ld", answers);
	prctl(PR_SET_NAME, name); /* audit records name the query */
	fd = make_object(a, q[3], q[2]);
	check_label(a, fd, q[2]);
	set_attr(a, "current", q[1]);
	a->verdict = call(fd, q[4], strtoul(q[5], NULL, 0)) < 0 && errno == EACCES ? DENIED : GRANTED;
	_exit(0);
}

/* xperm SCONTEXT TCONTEXT CLASS ioctl|nlmsg NUMBER; the reply is granted or denied. */
static int run_program(char **q, char *reply, size_t *len, const char **step)
{
	static struct attempt *a;
	static char where[16];
	pid_t pid;

	if (!programs_ran++) {
		mkdir("/objects", 0755);
		write_file("/proc/sys/kernel/printk_ratelimit", "0", 1);
		a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}
	umount2("/objects", MNT_DETACH); /* the label comes with the mount: a new one each time */
	*step = "mount";
	if (mount("tmpfs", "/objects", "tmpfs", 0, NULL))
		return errno;
	memset(a, 0, sizeof *a);
	pid = fork();
	if (!pid)
		attempt(a, q);
	waitpid(pid, NULL, 0);
	memcpy(where, a->step, sizeof where);
	*step = where;
	if (!a->error)
		*len = sprintf(reply, "%s", a->verdict == GRANTED ? "granted" : "denied");
	return a->error;
}

/* ---- queries ---- */

static unsigned first_fd; /* every descriptor from here on is a spent transaction */

/* Write a request to a transaction file and read its reply; 0 or errno. */
static int transact(const char *node, const char *request, size_t n, char *reply,
		    size_t *len, const char **step)
{
	char path[64];
	int fd, e = 0;
	ssize_t r;

	snprintf(path, sizeof path, SEL "/%s", node);
	*step = "open";
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	*step = "write";
	r = write(fd, request, n);
	if (r >= 0) {
		*step = "read";
		r = read(fd, reply, REPLY_MAX);
	}
	if (r < 0)
		e = errno;
	else
		*len = r;
	if (fd >= FD_MANY)
		close_range(first_fd, ~0U, 0);
	return e;
}

static int read_reply(const char *dir, const char *name, char *reply, size_t *len, const char **step)
{
	char path[512], *b;
	size_t n = 0;

	snprintf(path, sizeof path, "%s%s", *name == '/' ? "" : dir, name);
	*step = "read";
	b = slurp(path, &n);
	if (!b)
		return errno;
	*len = n < REPLY_MAX ? n : REPLY_MAX;
	memcpy(reply, b, *len);
	free(b);
	return 0;
}

static int is(char **q, int count, const char *op, int want)
{
	return count == want && !strcmp(q[0], op);
}

/* Queries that ask: a class decision or a context. */
static int ask(char **q, int n, char *reply, size_t *len, const char **step)
{
	static char request[REPLY_MAX];
	int size = 0;

	if (is(q, n, "access", 4) || is(q, n, "create", 4) || is(q, n, "member", 4) ||
	    is(q, n, "relabel", 4))
		size = snprintf(request, sizeof request, "%s %s %u", q[1], q[2], class_number(q[3]));
	else if (is(q, n, "create", 5))
		size = snprintf(request, sizeof request, "%s %s %u %s", q[1], q[2], class_number(q[3]), q[4]);
	else if (is(q, n, "context", 2)) /* libselinux sends the last NUL too */
		size = snprintf(request, sizeof request, "%s", q[1]) + 1;
	else if (is(q, n, "user", 3))
		size = snprintf(request, sizeof request, "%s %s", q[1], q[2]);
	*step = "parse";
	if (!size)
		return EPROTO;
	if (size >= (int)sizeof request)
		return E2BIG;
	return transact(q[0], request, size, reply, len, step);
}

static int validate_transition(char **q)
{
	static char request[REPLY_MAX];
	int n = snprintf(request, sizeof request, "%s %s %u %s", q[1], q[2], class_number(q[3]), q[4]);

	return n < (int)sizeof request ? write_file(SEL "/validatetrans", request, n) : E2BIG;
}

static int reload(const char *number)
{
	char path[64];
	int e;

	snprintf(path, sizeof path, "/policy%d", atoi(number));
	e = load_policy(path);
	forget_classes();
	if (!e)
		put_policy();
	return e;
}

static int set_boolean(const char *name, const char *value)
{
	char path[512];

	snprintf(path, sizeof path, SEL "/booleans/%s", name);
	return write_file(path, value, strlen(value));
}

static int answer(char **q, int n, char *reply, size_t *len, const char **step)
{
	*step = "write";
	if (is(q, n, "validatetrans", 5))
		return validate_transition(q);
	if (is(q, n, "setenforce", 2))
		return write_file(SEL "/enforce", q[1], strlen(q[1]));
	if (is(q, n, "setbool", 3))
		return set_boolean(q[1], q[2]);
	if (is(q, n, "commit", 1))
		return write_file(SEL "/commit_pending_bools", "1", 1);
	if (is(q, n, "load", 2))
		return reload(q[1]);
	if (is(q, n, "getbool", 2))
		return read_reply(SEL "/booleans/", q[1], reply, len, step);
	if (is(q, n, "initial_sid", 2))
		return read_reply(SEL "/initial_contexts/", q[1], reply, len, step);
	if (is(q, n, "read", 2))
		return read_reply(SEL "/", q[1], reply, len, step);
	if (is(q, n, "xperm", 6))
		return run_program(q, reply, len, step);
	return ask(q, n, reply, len, step);
}

static void put_answer(char **q, int n)
{
	static char reply[REPLY_MAX + 1];
	const char *step;
	size_t len = 0;
	int e = answer(q, n, reply, &len, &step);

	if (e) {
		fprintf(out, "Q\terr\t%s\t%s\n", errno_name(e), step);
	} else {
		fputs("Q\tok\t", out);
		put_field(reply, len);
		putc('\n', out);
	}
	answers++;
}

static void run_queries(char *rest)
{
	int probe = open("/", O_RDONLY | O_CLOEXEC);
	char *line, *field, *q[8];

	first_fd = probe;
	close(probe);
	while (rest && *rest) {
		int n = 0;

		line = strsep(&rest, "\n");
		while (n < 8 && (field = strsep(&line, "\t")))
			q[n++] = field;
		put_answer(q, n);
	}
	close_range(first_fd, ~0U, 0);
}

/* ---- set-up ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void insert_modules(void)
{
	struct dirent **list;
	int n = scandir("/modules", &list, NULL, by_name);

	for (int i = 0; i < n; i++) {
		char path[512];
		int fd;

		if (list[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/modules/%s", list[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			fprintf(stderr, "guest: %s: %m\n", path);
		if (fd >= 0)
			close(fd);
	}
}

static void read_job(void)
{
	char *rest = slurp("/job", NULL), *line, *value;

	while (rest && (line = strsep(&rest, "\n"))) {
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = 0;
		if (!strcmp(line, "mode"))
			snprintf(job_mode, sizeof job_mode, "%s", value);
		else if (!strcmp(line, "out"))
			snprintf(job_out, sizeof job_out, "%s", value);
		else if (!strcmp(line, "enforce"))
			job_enforce = atoi(value);
		else if (!strcmp(line, "dump"))
			job_dump = atoi(value);
		else if (!strcmp(line, "readback"))
			job_readback = atoi(value);
	}
}

/* hostfs: out is a directory of the host; dev: a device that may take a moment to appear. */
static void open_output(void)
{
	if (!strcmp(job_mode, "hostfs")) {
		mkdir("/host", 0700);
		if (mount("none", "/host", "hostfs", 0, job_out))
			fprintf(stderr, "guest: hostfs %s: %m\n", job_out);
		else
			out_fd = open("/host/raw", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	} else {
		for (int i = 0; i < 2000 && out_fd < 0; i++) {
			out_fd = open(job_out, O_WRONLY | O_CLOEXEC);
			if (out_fd < 0)
				usleep(5000);
		}
	}
	if (out_fd < 0) {
		fprintf(stderr, "guest: open output %s: %m\n", job_out);
		finish();
	}
}

static void mount_all(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
}

static void put_readback(void)
{
	size_t n;
	char *b = slurp(SEL "/policy", &n);

	if (!b) {
		fprintf(out, "S\treadback_error\t%s\n", errno_name(errno));
		return;
	}
	fprintf(out, "R\t%zu\n", n);
	fwrite(b, 1, n, out);
	putc('\n', out);
}

int main(void)
{
	struct utsname u;
	int e;

	mount_all();
	out = open_memstream(&out_text, &out_len);
	read_job();
	insert_modules();
	open_output();
	if (mount("selinuxfs", SEL, "selinuxfs", 0, NULL))
		fatal("mount selinuxfs", errno);
	uname(&u);
	fprintf(out, "S\tkernel\t%s %s %s\n", u.release, u.version, u.machine);
	stamp("init");
	if ((e = load_policy("/policy0")))
		fatal("load", e);
	stamp("loaded");
	if (job_enforce && (e = write_file(SEL "/enforce", "1", 1)))
		fatal("setenforce", e);
	put_policy();
	stamp("dumped");
	run_queries(slurp("/queries", NULL));
	stamp("answered");
	/* only output from here on: let it through whatever the policy says */
	write_file(SEL "/enforce", "0", 1);
	if (job_readback)
		put_readback();
	if (programs_ran)
		usleep(200000); /* the audit thread may still be printing */
	put_log();
	finish();
	return 0;
}
