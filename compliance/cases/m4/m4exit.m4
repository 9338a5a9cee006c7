before
m4exit(0)after
