define(`b', `a # don`'t
')b
