define(`f', `$1')f(
__line__,
__line__)
__line__
