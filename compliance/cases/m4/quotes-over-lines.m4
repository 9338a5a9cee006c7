`first
second'
define(`a', `one
two')a
