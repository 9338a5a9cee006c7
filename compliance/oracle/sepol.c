/*
 * sepol - asks libsepol's security server, one question per line.
 *
 *     gcc -O2 -o sepol sepol.c -l:libsepol.a        ./sepol POLICY
 *
 * A question and its answer are single lines of tab-separated fields; answers
 * come in the order of the questions and leave this process on "flush" or at
 * the end of the input.  A context is put into a pool once and then named by
 * its number there, because libsepol finds the SID of a context by walking
 * through all of them.  Classes are numbers.  "-" answers what libsepol refuses.
 *
 *     context TEXT                      number in the pool, canonical text
 *     access S T CLASS                  allowed, auditallow, auditdeny (hexadecimal)
 *     create|member|relabel S T CLASS   context
 *     validatetrans OLD NEW CLASS TASK  1 or 0
 *     setbool NAME 0|1, commit          ok
 *     port PROTOCOL NUMBER              context (protocol by its IP number)
 *     node ADDRESS                      context (IPv4 or IPv6 text)
 *     netif NAME                        context
 *     genfs FS PATH CLASS               context
 *     fs_use FS                         behaviour, context
 *     initial NUMBER                    context
 *     queue S T CLASS                   ok (kept for "bench")
 *     bench                             seconds for all that is queued
 *     read N                            seconds of N policydb_read calls
 *     memory                            peak resident size in kB
 *     dump                              the policy's vocabulary, ended by a line "."
 *     flush                             nothing
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <sepol/debug.h>
#include <sepol/policydb/avtab.h>
#include <sepol/policydb/conditional.h>
#include <sepol/policydb/policydb.h>
#include <sepol/policydb/services.h>
#include <sepol/policydb/sidtab.h>

static const char *policy_path;
static policydb_t db;
static sidtab_t sids;

struct query { uint32_t source, target, class; };
static uint32_t *pool;
static size_t pool_len, pool_room;
static struct query *queue;
static size_t queue_len, queue_room;

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void fail(const char *what)
{
	fprintf(stderr, "sepol: %s\n", what);
	exit(2);
}

/* Makes room for one more element of the given size. */
static void *grow(void *list, size_t len, size_t *room, size_t size)
{
	if (len < *room)
		return list;
	*room = *room ? *room * 2 : 1024;
	list = realloc(list, *room * size);
	if (!list)
		fail("out of memory");
	return list;
}

static void read_policy(policydb_t *into)
{
	struct policy_file file;
	FILE *f = fopen(policy_path, "r");

	if (!f)
		fail("cannot open the policy");
	policy_file_init(&file);
	file.type = PF_USE_STDIO;
	file.fp = f;
	if (policydb_init(into) || policydb_read(into, &file, 0))
		fail("libsepol refuses the policy");
	fclose(f);
}

/* The next tab-separated field of the line, "" when there is none. */
static char *field(char **rest)
{
	char *f = strsep(rest, "\t");
	return f ? f : (char *)"";
}

static uint32_t number(char **rest)
{
	return (uint32_t)strtoul(field(rest), NULL, 10);
}

static uint32_t pooled(char **rest)
{
	uint32_t n = number(rest);
	if (n >= pool_len)
		fail("no such context in the pool");
	return pool[n];
}

static void put_context(uint32_t sid)
{
	char *text = NULL;
	size_t len;

	if (sepol_sid_to_context(sid, &text, &len) || !text)
		fputs("-", stdout);
	else
		fputs(text, stdout);
	free(text);
}

static void put_answer(int refused, uint32_t sid)
{
	if (refused)
		fputs("-", stdout);
	else
		put_context(sid);
	putchar('\n');
}

/* ---- questions ---- */

static void add_context(char *rest)
{
	char *text = field(&rest);
	uint32_t sid;

	if (sepol_context_to_sid(text, strlen(text) + 1, &sid)) {
		puts("-");
		return;
	}
	pool = grow(pool, pool_len, &pool_room, sizeof *pool);
	pool[pool_len] = sid;
	printf("%zu\t", pool_len++);
	put_answer(0, sid);
}

static void access_vectors(char *rest)
{
	struct sepol_av_decision d;
	uint32_t s = pooled(&rest), t = pooled(&rest), c = number(&rest);

	if (sepol_compute_av(s, t, c, 0, &d))
		puts("-");
	else
		printf("%x\t%x\t%x\n", d.allowed, d.auditallow, d.auditdeny);
}

typedef int compute(uint32_t, uint32_t, sepol_security_class_t, uint32_t *);

static void compute_context(compute *how, char *rest)
{
	uint32_t s = pooled(&rest), t = pooled(&rest), c = number(&rest), sid = 0;
	int refused = how(s, t, c, &sid);

	put_answer(refused, sid);
}

static void validate_transition(char *rest)
{
	uint32_t o = pooled(&rest), n = pooled(&rest), c = number(&rest);
	uint32_t task = pooled(&rest);
	char *reason = NULL;

	printf("%d\n", sepol_validate_transition_reason_buffer(o, n, task, c, &reason, 0) == 0);
	free(reason);
}

static void set_boolean(char *rest)
{
	cond_bool_datum_t *b = hashtab_search(db.p_bools.table, field(&rest));

	if (!b) {
		puts("-");
		return;
	}
	b->state = (int)number(&rest);
	puts("ok");
}

static void commit(void)
{
	puts(evaluate_conds(&db) ? "-" : "ok");
}

static void port_context(char *rest)
{
	uint32_t protocol = number(&rest), port = number(&rest), sid = 0;
	int kind = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int refused = sepol_port_sid(AF_INET, (uint16_t)kind, (uint8_t)protocol, (uint16_t)port, &sid);

	put_answer(refused, sid);
}

static void node_context(char *rest)
{
	char *text = field(&rest);
	uint8_t address[16];
	uint32_t sid = 0;
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, text, address) != 1)
		fail("not an address");
	int refused = sepol_node_sid((uint16_t)family, address, family == AF_INET ? 4 : 16, &sid);
	put_answer(refused, sid);
}

static void netif_context(char *rest)
{
	uint32_t sid = 0, message = 0;
	int refused = sepol_netif_sid(field(&rest), &sid, &message);

	put_answer(refused, sid);
}

static void genfs_context(char *rest)
{
	char *fs = field(&rest), *path = field(&rest);
	uint32_t class = number(&rest), sid = 0;
	int refused = sepol_genfs_sid(fs, path, (sepol_security_class_t)class, &sid);

	put_answer(refused, sid);
}

static void fs_use(char *rest)
{
	unsigned int behaviour = 0;
	uint32_t sid = 0;

	if (sepol_fs_use(field(&rest), &behaviour, &sid)) {
		puts("-");
		return;
	}
	printf("%u\t", behaviour);
	put_answer(0, sid);
}

/* ---- measurements ---- */

static void enqueue(char *rest)
{
	queue = grow(queue, queue_len, &queue_room, sizeof *queue);
	queue[queue_len].source = pooled(&rest);
	queue[queue_len].target = pooled(&rest);
	queue[queue_len++].class = number(&rest);
	puts("ok");
}

static void bench(void)
{
	struct sepol_av_decision d;
	double start = seconds();

	for (size_t i = 0; i < queue_len; i++)
		sepol_compute_av(queue[i].source, queue[i].target, queue[i].class, 0, &d);
	printf("%.9f\n", seconds() - start);
}

static void time_reads(char *rest)
{
	uint32_t n = number(&rest);

	for (uint32_t i = 0; i < n; i++) {
		policydb_t other;
		double start = seconds();
		read_policy(&other);
		printf("%s%.9f", i ? "\t" : "", seconds() - start);
		policydb_destroy(&other);
	}
	putchar('\n');
}

static void memory(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, "VmHWM:", 6)) {
			printf("%ld\n", strtol(line + 6, NULL, 10));
			fclose(f);
			return;
		}
	puts("-");
}

/* ---- vocabulary ---- */

static void put_bits(const ebitmap_t *e)
{
	ebitmap_node_t *node;
	unsigned int bit;
	const char *comma = "";

	ebitmap_for_each_positive_bit(e, node, bit) {
		printf("%s%u", comma, bit + 1);
		comma = ",";
	}
}

static int dump_class(hashtab_key_t name, hashtab_datum_t datum, void *unused)
{
	class_datum_t *c = datum;
	(void)unused;
	printf("class\t%u\t%s\t%u\n", c->s.value, name, c->permissions.nprim);
	return 0;
}

static int dump_type(hashtab_key_t name, hashtab_datum_t datum, void *unused)
{
	type_datum_t *t = datum;
	(void)unused;
	if (t->flavor == TYPE_ATTRIB) {
		printf("attribute\t%u\t%s\t", t->s.value, name);
		put_bits(&db.attr_type_map[t->s.value - 1]);
		putchar('\n');
	} else {
		int alias = strcmp(db.p_type_val_to_name[t->s.value - 1], name) != 0;
		printf("%s\t%u\t%s\n", alias ? "typealias" : "type", t->s.value, name);
	}
	return 0;
}

static int dump_role(hashtab_key_t name, hashtab_datum_t datum, void *unused)
{
	role_datum_t *r = datum;
	(void)unused;
	printf("role\t%u\t%s\t", r->s.value, name);
	put_bits(&r->types.types);
	putchar('\n');
	return 0;
}

static void put_level(const mls_level_t *l)
{
	printf("\t%u\t", l->sens);
	put_bits(&l->cat);
}

static int dump_user(hashtab_key_t name, hashtab_datum_t datum, void *unused)
{
	user_datum_t *u = datum;
	(void)unused;
	printf("user\t%u\t%s\t", u->s.value, name);
	put_bits(&u->roles.roles);
	put_level(&u->exp_range.level[0]);
	put_level(&u->exp_range.level[1]);
	putchar('\n');
	return 0;
}

static int dump_sensitivity(hashtab_key_t name, hashtab_datum_t datum, void *unused)
{
	level_datum_t *l = datum;
	(void)unused;
	printf("%s\t%u\t%s\t", l->isalias ? "sensitivityalias" : "sensitivity", l->level->sens, name);
	put_bits(&l->level->cat);
	putchar('\n');
	return 0;
}

static int dump_category(hashtab_key_t name, hashtab_datum_t datum, void *unused)
{
	cat_datum_t *c = datum;
	(void)unused;
	printf("%s\t%u\t%s\n", c->isalias ? "categoryalias" : "category", c->s.value, name);
	return 0;
}

static int dump_boolean(hashtab_key_t name, hashtab_datum_t datum, void *unused)
{
	cond_bool_datum_t *b = datum;
	(void)unused;
	printf("boolean\t%d\t%s\n", b->state, name);
	return 0;
}

static int dump_rule(avtab_key_t *k, avtab_datum_t *d, void *unused)
{
	const char *kind = k->specified & AVTAB_AV ? "access" : k->specified & AVTAB_TYPE ? "create" : NULL;
	(void)d;
	(void)unused;
	if (kind)
		printf("rule\t%s\t%u\t%u\t%u\n", kind, k->source_type, k->target_type, k->target_class);
	return 0;
}

static int dump_filename_transition(hashtab_key_t key, hashtab_datum_t datum, void *unused)
{
	filename_trans_key_t *k = (filename_trans_key_t *)key;
	filename_trans_datum_t *d;
	(void)unused;
	for (d = datum; d; d = d->next) {
		printf("filename\t%u\t%u\t%s\t", k->ttype, k->tclass, k->name);
		put_bits(&d->stypes);
		putchar('\n');
	}
	return 0;
}

static int dump_range_transition(hashtab_key_t key, hashtab_datum_t datum, void *unused)
{
	range_trans_t *k = (range_trans_t *)key;
	(void)datum;
	(void)unused;
	printf("rule\trange\t%u\t%u\t%u\n", k->source_type, k->target_type, k->target_class);
	return 0;
}

static void dump_role_transitions(void)
{
	for (role_trans_t *t = db.role_tr; t; t = t->next)
		printf("roletransition\t%u\t%u\t%u\n", t->role, t->type, t->tclass);
	for (role_allow_t *a = db.role_allow; a; a = a->next)
		printf("roleallow\t%u\t%u\n", a->role, a->new_role);
}

static void put_address(int family, const void *address, const void *mask)
{
	char a[INET6_ADDRSTRLEN], m[INET6_ADDRSTRLEN];

	inet_ntop(family, address, a, sizeof a);
	inet_ntop(family, mask, m, sizeof m);
	printf("node\t%s\t%s\n", a, m);
}

static void dump_object_contexts(void)
{
	ocontext_t *o;

	for (o = db.ocontexts[OCON_ISID]; o; o = o->next)
		printf("initial\t%u\t%s\n", o->sid[0], o->u.name ? o->u.name : "");
	if (db.target_platform != SEPOL_TARGET_SELINUX)
		return;
	for (o = db.ocontexts[OCON_PORT]; o; o = o->next)
		printf("port\t%u\t%u\t%u\n", o->u.port.protocol, o->u.port.low_port, o->u.port.high_port);
	for (o = db.ocontexts[OCON_NETIF]; o; o = o->next)
		printf("netif\t%s\n", o->u.name);
	for (o = db.ocontexts[OCON_NODE]; o; o = o->next)
		put_address(AF_INET, &o->u.node.addr, &o->u.node.mask);
	for (o = db.ocontexts[OCON_NODE6]; o; o = o->next)
		put_address(AF_INET6, o->u.node6.addr, o->u.node6.mask);
	for (o = db.ocontexts[OCON_FSUSE]; o; o = o->next)
		printf("fs_use\t%s\n", o->u.name);
	for (genfs_t *g = db.genfs; g; g = g->next)
		for (o = g->head; o; o = o->next)
			printf("genfs\t%s\t%s\t%u\n", g->fstype, o->u.name, o->v.sclass);
}

static void dump(void)
{
	printf("policy\t%u\t%d\t%u\n", db.policyvers, db.mls, db.handle_unknown);
	hashtab_map(db.p_classes.table, dump_class, NULL);
	hashtab_map(db.p_types.table, dump_type, NULL);
	hashtab_map(db.p_roles.table, dump_role, NULL);
	hashtab_map(db.p_users.table, dump_user, NULL);
	hashtab_map(db.p_levels.table, dump_sensitivity, NULL);
	hashtab_map(db.p_cats.table, dump_category, NULL);
	hashtab_map(db.p_bools.table, dump_boolean, NULL);
	avtab_map(&db.te_avtab, dump_rule, NULL);
	avtab_map(&db.te_cond_avtab, dump_rule, NULL);
	if (db.filename_trans)
		hashtab_map(db.filename_trans, dump_filename_transition, NULL);
	if (db.range_tr)
		hashtab_map(db.range_tr, dump_range_transition, NULL);
	dump_role_transitions();
	dump_object_contexts();
	puts(".");
}

/* ---- dispatch ---- */

static void initial_context(char *rest)
{
	put_answer(0, number(&rest));
}

static void answer(char *line)
{
	static const struct { const char *name; void (*with)(char *); void (*alone)(void); compute *how; } table[] = {
		{ "access", access_vectors, NULL, NULL },
		{ "queue", enqueue, NULL, NULL },
		{ "context", add_context, NULL, NULL },
		{ "create", NULL, NULL, sepol_transition_sid },
		{ "member", NULL, NULL, sepol_member_sid },
		{ "relabel", NULL, NULL, sepol_change_sid },
		{ "validatetrans", validate_transition, NULL, NULL },
		{ "setbool", set_boolean, NULL, NULL },
		{ "commit", NULL, commit, NULL },
		{ "port", port_context, NULL, NULL },
		{ "node", node_context, NULL, NULL },
		{ "netif", netif_context, NULL, NULL },
		{ "genfs", genfs_context, NULL, NULL },
		{ "fs_use", fs_use, NULL, NULL },
		{ "initial", initial_context, NULL, NULL },
		{ "bench", NULL, bench, NULL },
		{ "read", time_reads, NULL, NULL },
		{ "memory", NULL, memory, NULL },
		{ "dump", NULL, dump, NULL },
	};
	char *verb = field(&line);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (strcmp(verb, table[i].name))
			continue;
		if (table[i].with)
			table[i].with(line);
		else if (table[i].alone)
			table[i].alone();
		else
			compute_context(table[i].how, line);
		return;
	}
	fail("unknown question");
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (argc != 2)
		fail("usage: sepol POLICY < QUESTIONS");
	policy_path = argv[1];
	sepol_debug(0);
	read_policy(&db);
	if (policydb_load_isids(&db, &sids) || sepol_set_policydb(&db) || sepol_set_sidtab(&sids))
		fail("initial SIDs do not load");
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	while ((len = getline(&line, &room, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = 0;
		if (!strcmp(line, "flush"))
			fflush(stdout);
		else
			answer(line);
	}
	return 0;
}
