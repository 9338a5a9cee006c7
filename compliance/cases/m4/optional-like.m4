define(`depth', 0)define(`optional_policy', `optional {define(`depth', incr(depth))
$1`'ifelse(`$2', `', `', `} else {
$2')}define(`depth', decr(depth)) depth
')optional_policy(`
	a;
	optional_policy(`b;', `c;')
')
