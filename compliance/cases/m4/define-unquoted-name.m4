define(a, one)a
define(`a', `two')a
