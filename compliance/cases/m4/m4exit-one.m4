before
m4exit(1)after
