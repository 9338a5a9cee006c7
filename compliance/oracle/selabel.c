/* Asks libselinux for labels.
 *
 *   selabel lookup FILE_CONTEXTS [ROUNDS]   selabel_lookup_raw(3)
 *   selabel best FILE_CONTEXTS              selabel_lookup_best_match_raw(3): a path and its aliases, a line each
 *   selabel partial FILE_CONTEXTS           selabel_partial_match(3): 0 or 1
 *   selabel media|x|db FILE                 the other tables by name
 *   selabel seuser FOLDER                   getseuserbyname(3) with FOLDER/seusers; FOLDER/mls says whether there are ranges
 *
 * Standard input holds records KIND NAME NUL. KIND is f d c b p l s, or a for no kind of file; for x and db it is the number of the
 * kind as a letter from A on. An answer is a context or !ERRNO, and NUL. Seconds of opening and of each round of lookups go to
 * standard error; all is read before the clock starts, and printed after it stops.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <selinux/label.h>
#include <selinux/selinux.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static int quiet(int type, const char *format, ...)
{
	(void)type;
	(void)format;
	return 0;
}

static int mode_of(char kind)
{
	switch (kind) {
	case 'f':
		return S_IFREG;
	case 'd':
		return S_IFDIR;
	case 'c':
		return S_IFCHR;
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	case 'l':
		return S_IFLNK;
	case 's':
		return S_IFSOCK;
	default:
		return 0;
	}
}

struct record {
	char *text;
	char *answer;
	int error;
};

static struct record *records;
static size_t count;

static void read_records(void)
{
	size_t capacity = 0, size = 0;
	char *text = NULL;

	while (getdelim(&text, &size, 0, stdin) > 0) {
		if (count == capacity) {
			capacity = capacity ? 2 * capacity : 1024;
			records = realloc(records, capacity * sizeof(*records));
			if (!records)
				abort();
		}
		records[count++] = (struct record){ .text = text };
		text = NULL;
		size = 0;
	}
	free(text);
}

static int best(struct selabel_handle *handle, char **context, char *text)
{
	const char *aliases[16];
	size_t known = 0;
	char *name = strdup(text + 1);
	char *next = strchr(name, '\n');
	int failed, error;

	while (next && known < 15) {
		*next++ = '\0';
		aliases[known++] = next;
		next = strchr(next, '\n');
	}
	aliases[known] = NULL;
	failed = selabel_lookup_best_match_raw(handle, context, name, aliases, mode_of(*text));
	error = errno;
	free(name);
	errno = error;
	return failed;
}

static int seuser(char **answer, const char *name)
{
	char *user = NULL, *range = NULL;

	if (getseuserbyname(name, &user, &range))
		return -1;
	if (asprintf(answer, "%s %s", user, range ? range : "-") < 0)
		abort();
	free(user);
	free(range);
	return 0;
}

static void ask(const char *what, struct selabel_handle *handle, struct record *record)
{
	int failed = 0;

	errno = 0;
	if (!strcmp(what, "lookup"))
		failed = selabel_lookup_raw(handle, &record->answer, record->text + 1, mode_of(*record->text));
	else if (!strcmp(what, "best"))
		failed = best(handle, &record->answer, record->text);
	else if (!strcmp(what, "partial"))
		record->answer = strdup(selabel_partial_match(handle, record->text + 1) ? "1" : "0");
	else if (!strcmp(what, "seuser"))
		failed = seuser(&record->answer, record->text + 1);
	else
		failed = selabel_lookup_raw(handle, &record->answer, record->text + 1, *record->text - 'A');
	record->error = failed ? errno : 0;
}

static struct selabel_handle *open_table(const char *what, const char *path)
{
	struct selinux_opt option = { SELABEL_OPT_PATH, path };
	unsigned backend = !strcmp(what, "media") ? SELABEL_CTX_MEDIA :
			   !strcmp(what, "x")	  ? SELABEL_CTX_X :
			   !strcmp(what, "db")	  ? SELABEL_CTX_DB :
						    SELABEL_CTX_FILE;

	return selabel_open(backend, &option, 1);
}

int main(int argc, char **argv)
{
	union selinux_callback callback = { .func_log = quiet };
	struct selabel_handle *handle = NULL;
	int rounds = argc > 3 ? atoi(argv[3]) : 1;
	double start;

	if (argc < 3)
		return 2;
	selinux_set_callback(SELINUX_CB_LOG, callback);
	start = now();
	if (!strcmp(argv[1], "seuser")) {
		set_selinuxmnt(argv[2]);
		selinux_set_policy_root(argv[2]);
	} else {
		handle = open_table(argv[1], argv[2]);
		if (!handle) {
			perror("selabel_open");
			return 1;
		}
	}
	fprintf(stderr, "open %.9f\n", now() - start);
	read_records();
	for (int round = 0; round < rounds; round++) {
		start = now();
		for (size_t at = 0; at < count; at++) {
			free(records[at].answer);
			records[at].answer = NULL;
			ask(argv[1], handle, &records[at]);
		}
		fprintf(stderr, "round %.9f\n", now() - start);
	}
	for (size_t at = 0; at < count; at++) {
		if (records[at].error)
			printf("!%d", records[at].error);
		else
			fputs(records[at].answer ? records[at].answer : "", stdout);
		putchar(0);
	}
	return 0;
}
