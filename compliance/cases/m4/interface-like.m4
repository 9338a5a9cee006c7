define(`interface', `define(`$1', `pushdef(`here', `$1')$2`'popdef(`here')')')interface(`reads', `
	gen($1)
	allow $1 x_t:file { read getattr };
')
define(`gen', `# for $1
')reads(a_t)
reads(b_t)
