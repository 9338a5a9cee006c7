a
define(`b', `c'
