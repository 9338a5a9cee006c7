/*
 * ocontexts POLICY - asks libsepol for the contexts of objects that have none
 * of their own, and for decisions under policies that no Linux kernel loads.
 *
 * Reads one question per line, OP <TAB> ARG ..., and answers each with one line
 * of JSON. gcc -O2 -w -o ocontexts ocontexts.c -l:libsepol.a (the shared
 * library hides some of these functions).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sepol/debug.h>
#include <sepol/policydb/policydb.h>
#include <sepol/policydb/services.h>
#include <sepol/policydb/sidtab.h>

static policydb_t db;
static sidtab_t sids;

static void put_context(const char *key, sepol_security_id_t sid, const char *end)
{
	sepol_security_context_t text;
	size_t len;

	if (sepol_sid_to_context(sid, &text, &len))
		printf("\"%s\":null%s", key, end);
	else
		printf("\"%s\":\"%s\"%s", key, text, end);
}

static void one_context(int refused, const sepol_security_id_t *sid)
{
	if (refused) {
		puts("{\"error\":\"EINVAL\"}");
		return;
	}
	putchar('{');
	put_context("context", *sid, "}\n");
}

static void port(char *protocol, char *number)
{
	static const struct { const char *name; int type, protocol; } known[] = {
		{ "tcp", SOCK_STREAM, IPPROTO_TCP }, { "udp", SOCK_DGRAM, IPPROTO_UDP },
		{ "dccp", SOCK_STREAM, 33 }, { "sctp", SOCK_STREAM, 132 },
	};
	sepol_security_id_t sid;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(protocol, known[i].name)) {
			one_context(sepol_port_sid(AF_INET, known[i].type, known[i].protocol,
						   atoi(number), &sid), &sid);
			return;
		}
	one_context(1, NULL);
}

static void node(char *address)
{
	unsigned char bytes[16];
	int v6 = !!strchr(address, ':');
	sepol_security_id_t sid;

	if (inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes) != 1)
		one_context(1, NULL);
	else
		one_context(sepol_node_sid(v6 ? AF_INET6 : AF_INET, bytes, v6 ? 16 : 4, &sid), &sid);
}

static void netif(char *name)
{
	sepol_security_id_t interface, message;

	if (sepol_netif_sid(name, &interface, &message)) {
		one_context(1, NULL);
		return;
	}
	putchar('{');
	put_context("context", interface, ",");
	put_context("packet_context", message, "}\n");
}

static void genfs(char *fstype, char *path, char *class)
{
	sepol_security_class_t number;
	sepol_security_id_t sid;
	int e = sepol_string_to_security_class(class, &number);

	e = e ? e : sepol_genfs_sid(fstype, path, number, &sid);
	if (e == -ENOENT)
		puts("{\"error\":\"ENOENT\"}");
	else
		one_context(e, &sid);
}

static void fs_use(char *fstype)
{
	static const char *const names[] = { "", "xattr", "trans", "task", "genfs", "none" };
	sepol_security_id_t sid;
	unsigned behavior;

	if (sepol_fs_use(fstype, &behavior, &sid)) {
		one_context(1, NULL);
		return;
	}
	printf("{\"behavior\":\"%s\",", behavior < 6 ? names[behavior] : "");
	put_context("context", sid, "}\n");
}

static void ibpkey(char *prefix, char *pkey)
{
	unsigned char subnet[16];
	uint64_t high;
	sepol_security_id_t sid;

	if (inet_pton(AF_INET6, prefix, subnet) != 1) {
		one_context(1, NULL);
		return;
	}
	memcpy(&high, subnet, 8); /* network order, as the policy keeps it */
	one_context(sepol_ibpkey_sid(high, strtoul(pkey, NULL, 0), &sid), &sid);
}

static void ibendport(char *device, char *port)
{
	sepol_security_id_t sid;

	one_context(sepol_ibendport_sid(device, atoi(port), &sid), &sid);
}

static void initial_sid(char *name)
{
	char *end;
	sepol_security_id_t number = strtoul(name, &end, 10);

	if (*end)
		one_context(1, NULL);
	else
		one_context(0, &number);
}

static int first_name;

static int put_permission(hashtab_key_t name, hashtab_datum_t datum, void *bit)
{
	if (((perm_datum_t *)datum)->s.value == *(uint32_t *)bit) {
		printf("%s\"%s\"", first_name ? "" : ",", name);
		first_name = 0;
	}
	return 0;
}

static void put_permissions(sepol_security_class_t class, uint32_t allowed)
{
	class_datum_t *datum = db.class_val_to_struct[class - 1];

	first_name = 1;
	for (uint32_t bit = 1; bit <= 32; bit++) {
		if (!(allowed >> (bit - 1) & 1))
			continue;
		if (datum->comdatum)
			hashtab_map(datum->comdatum->permissions.table, put_permission, &bit);
		hashtab_map(datum->permissions.table, put_permission, &bit);
	}
}

static void access_vector(char *source, char *target, char *class)
{
	sepol_security_id_t s, t;
	sepol_security_class_t number;
	struct sepol_av_decision d = { 0 };

	if (sepol_context_to_sid(source, strlen(source), &s) ||
	    sepol_context_to_sid(target, strlen(target), &t) ||
	    sepol_string_to_security_class(class, &number) ||
	    sepol_compute_av(s, t, number, 0, &d)) {
		one_context(1, NULL);
		return;
	}
	printf("{\"allowed\":%u,\"auditallow\":%u,\"auditdeny\":%u,\"flags\":0,\"perms\":[",
	       d.allowed, d.auditallow, d.auditdeny);
	put_permissions(number, d.allowed);
	puts("]}");
}

static void answer(char **q, int n)
{
	if (n == 4 && !strcmp(q[0], "access"))
		access_vector(q[1], q[2], q[3]);
	else if (n == 3 && !strcmp(q[0], "port"))
		port(q[1], q[2]);
	else if (n == 2 && !strcmp(q[0], "node"))
		node(q[1]);
	else if (n == 2 && !strcmp(q[0], "netif"))
		netif(q[1]);
	else if (n == 4 && !strcmp(q[0], "genfs"))
		genfs(q[1], q[2], q[3]);
	else if (n == 2 && !strcmp(q[0], "fs_use"))
		fs_use(q[1]);
	else if (n == 3 && !strcmp(q[0], "ibpkey"))
		ibpkey(q[1], q[2]);
	else if (n == 3 && !strcmp(q[0], "ibendport"))
		ibendport(q[1], q[2]);
	else if (n == 2 && !strcmp(q[0], "initial_sid"))
		initial_sid(q[1]);
	else
		puts("{\"error\":\"EPROTO\"}");
}

static int load(const char *path)
{
	struct policy_file file;
	FILE *f = fopen(path, "r");

	if (!f || policydb_init(&db))
		return -1;
	policy_file_init(&file);
	file.type = PF_USE_STDIO;
	file.fp = f;
	if (policydb_read(&db, &file, 0) || policydb_load_isids(&db, &sids))
		return -1;
	sepol_set_policydb(&db);
	sepol_set_sidtab(&sids);
	return 0;
}

int main(int argc, char **argv)
{
	char *line = NULL, *rest, *q[8];
	size_t cap = 0;
	ssize_t n;

	sepol_debug(0);
	if (argc != 2 || load(argv[1])) {
		fprintf(stderr, "ocontexts: cannot load the policy\n");
		return 1;
	}
	while ((n = getline(&line, &cap, stdin)) > 0) {
		int fields = 0;

		rest = line;
		rest[strcspn(rest, "\n")] = 0;
		while (fields < 8 && (q[fields] = strsep(&rest, "\t")))
			fields++;
		answer(q, fields);
	}
	return 0;
}
